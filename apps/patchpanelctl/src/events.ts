/** `patchpanelctl events`: what the manager tells, one line for each event, until Ctrl-C. */
import { deferred, Scope } from '@pp/base';
import { ExitCode, Refused } from '@pp/daemon';
import type { Bus } from '@pp/dbus';
import {
  decodeStrict,
  NeighborReachabilityEventSignalEventType as NeighborEvent,
  NeighborReachabilityEventSignalRole as NeighborRole,
  NetworkDeviceChangedSignalEvent as DeviceEvent,
} from '@pp/proto';
import { PATH, SERVICE } from './call-manager';
import { deviceFromProto, type Device } from './devices';
import { meaningOf, noBus } from './failure';
import { jsonLine } from './json';

export interface EventDoors {
  readonly connectBus: () => Promise<Pick<Bus, 'subscribe' | 'watchName' | 'closed' | 'close'>>;
  /** False: nobody reads on. */
  readonly print: (text: string) => boolean;
  readonly onSignal: (handler: (signal: NodeJS.Signals) => void) => () => void;
}

/** One line; `v` is the version of these shapes: keys are added, never changed, within one. */
export type Event = { readonly v: 1 } & (
  | { readonly event: 'manager.up' | 'manager.down' }
  | { readonly event: 'device.added' | 'device.removed'; readonly device: Device }
  | {
      readonly event: 'neighbor.reachable' | 'neighbor.failed';
      readonly ifindex: number;
      readonly address: string;
      readonly role: string;
    }
);

/** Resolves on a signal, or when nobody reads on. The first line tells whether a manager is there. */
export async function events(json: boolean, doors: EventDoors): Promise<void> {
  const scope = new Scope();
  try {
    const stopped = deferred<'stopped'>();
    scope.defer(
      doors.onSignal(() => {
        stopped.resolve('stopped');
      }),
    );
    const bus = await doors.connectBus().catch((fault: unknown) => {
      throw noBus(fault);
    });
    scope.defer(() => {
      bus.close();
    });
    await listen(bus, (event) => {
      if (!doors.print(json ? jsonLine(event) : `${eventText(event)}\n`)) stopped.resolve('stopped');
    }).catch((fault: unknown) => {
      throw meaningOf(fault);
    });
    if ((await Promise.race([stopped.promise, bus.closed])) === 'stopped') return;
    throw new Refused(ExitCode.unreachable, 'the bus is gone', { advice: 'start it, and this again' });
  } finally {
    await scope.close();
  }
}

/** Whether a manager is there comes last: who has read that line misses nothing. */
async function listen(
  bus: Pick<Bus, 'subscribe' | 'watchName'>,
  tell: (event: Event) => void,
): Promise<void> {
  for (const [member, read] of [
    ['NetworkDeviceChanged', deviceEvent],
    ['NeighborReachabilityEvent', neighborEvent],
  ] as const) {
    const rule = { sender: SERVICE, path: PATH, interface: SERVICE, member };
    await bus.subscribe(rule, ({ body: [bytes] }) => {
      const event = bytes instanceof Uint8Array ? read(bytes) : null;
      if (event !== null) tell(event);
    });
  }
  await bus.watchName(SERVICE, (owner) => {
    tell({ v: 1, event: owner === undefined ? 'manager.down' : 'manager.up' });
  });
}

/** null: nothing that this release understands. */
function deviceEvent(bytes: Uint8Array): Event | null {
  const decoded = decodeStrict('NetworkDeviceChangedSignal', bytes);
  if (!decoded.ok || decoded.value.device === undefined) return null;
  const device = deviceFromProto(decoded.value.device);
  switch (decoded.value.event) {
    case DeviceEvent.DEVICE_ADDED:
      return { v: 1, event: 'device.added', device };
    case DeviceEvent.DEVICE_REMOVED:
      return { v: 1, event: 'device.removed', device };
    default:
      return null;
  }
}

function neighborEvent(bytes: Uint8Array): Event | null {
  const decoded = decodeStrict('NeighborReachabilityEventSignal', bytes);
  if (!decoded.ok) return null;
  const { ifindex, ipAddr: address, role: number, type } = decoded.value;
  const role = Object.entries(NeighborRole).find(([, value]) => value === number)?.[0] ?? String(number);
  switch (type) {
    case NeighborEvent.REACHABLE:
      return { v: 1, event: 'neighbor.reachable', ifindex, address, role };
    case NeighborEvent.FAILED:
      return { v: 1, event: 'neighbor.failed', ifindex, address, role };
    default:
      return null;
  }
}

/** "device.added ifname=vmtap0 guest_type=TERMINA_VM ..." */
function eventText({ event, ...facts }: Event): string {
  const flat = Object.entries('device' in facts ? facts.device : facts).filter(([key]) => key !== 'v');
  return [event, ...flat.map(([key, value]) => `${key}=${String(value)}`)].join(' ');
}
