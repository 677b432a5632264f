import {
  askStatus,
  errnoOf,
  foundPath,
  openNative,
  print,
  printError,
  statusPath,
  stderrLog,
  systemClock,
  VERSION,
} from '@pp/daemon';
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { connectBus } from '@pp/dbus';
import { interfacesIn } from './absent-interface';
import { NAME } from './args';
import type { ConnectDoors } from './connect';
import { LinuxHostInspection } from '@pp/linux';
import type { DoctorDoors } from './doctor/gather';
import type { EventDoors } from './events';
import type { PortDoors } from './ports';
import type { TrafficDoors } from './traffic';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The real outside. The addon is unpacked where it may: an operator's state directory may not exist. */
export function connectDoors(
  stateDir: string,
): ConnectDoors & Pick<EventDoors, 'connectBus' | 'print'> & Pick<PortDoors, 'clock' | 'hasInterface'> {
  const native = openNative(stateDir);
  const log = stderrLog({ level: 'warn', format: 'text' });
  return {
    native,
    clock: systemClock,
    connectBus: () => connectBus({ native, clock: systemClock, log }),
    print,
    warn: (sentence) => {
      printError(`${NAME}: ${sentence}
`);
    },
    onSignal,
    terminal: isatty(0),
    hasInterface,
  };
}

export const trafficDoors = (stateDir: string): TrafficDoors => ({
  ...connectDoors(stateDir),
  clock: systemClock,
  isScreen: isatty(1),
});

export function doctorDoors(stateDir: string): DoctorDoors {
  const { native, connectBus } = connectDoors(stateDir);
  return {
    connectBus,
    host: new LinuxHostInspection({
      native,
      clock: systemClock,
      log: stderrLog({ level: 'warn', format: 'text' }),
    }),
    status: (service) => askStatus(service, foundPath(stateDir, service, statusPath)),
    hasOwnBus: process.env['DBUS_SYSTEM_BUS_ADDRESS'] !== undefined,
    version: VERSION,
  };
}

function hasInterface(ifname: string): boolean | null {
  try {
    return interfacesIn(readFileSync('/proc/self/net/dev', 'utf8')).includes(ifname);
  } catch (fault) {
    if (errnoOf(fault) === undefined) throw fault;
    return null; // no /proc here
  }
}

function onSignal(handler: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, handler);
  return () => {
    for (const signal of SIGNALS) process.off(signal, handler);
  };
}
