import type { Clock, Logger } from '@pp/base';
import { parseBusAddresses, systemBusAddress } from './address';
import { startBus, type Bus } from './bus';
import { connectUnixStream, type StreamDoor } from './native-stream';
import { DEFAULT_LIMITS, type AdmissionLimits } from './server/admission';

export interface BusOptions {
  readonly native: StreamDoor;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: DBUS_SYSTEM_BUS_ADDRESS, else the system bus. The addresses of a list are tried in turn. */
  readonly address?: string;
  readonly limits?: AdmissionLimits;
}

/** Connects to the first address that answers. Rejects with an Error whose message and causes say what is wrong with each. */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const { native, clock, log, limits = DEFAULT_LIMITS, address = systemBusAddress(process.env) } = options;
  const faults: unknown[] = []; // BOUNDED: one per address
  for (const { path, guid, text } of parseBusAddresses(address)) {
    const peer = `the D-Bus system bus at ${text}`;
    try {
      return await startBus({
        peer,
        open: (events) => connectUnixStream(native, path, events),
        closeFd: (fd) => {
          native.closeFd(fd);
        },
        uid: process.geteuid?.() ?? 0,
        guid,
        clock,
        log,
        limits,
      });
    } catch (cause) {
      faults.push(new Error(`cannot connect to ${peer}`, { cause }));
    }
  }
  throw faults.length === 1
    ? faults[0]
    : new AggregateError(faults, 'no address of the D-Bus system bus can be used');
}
