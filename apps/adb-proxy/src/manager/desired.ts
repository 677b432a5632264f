import type { ForwardingArc } from '@pp/forwarding';
import type { Allow, Config } from '../config';
import type { Target } from '../endpoint';
import type { GateSpec } from '../gate';
import { isLoopback } from '../sources';
import type { GuestLink } from './guest-links';

/** Where the reference listens, and where adbd does. */
export const ADB_PORT = 5555;
/** spec/patchpanel.md 8. */
const CONTAINER_SOCKET = '/run/arc/adb/adb.sock';
const ARC_ADDRESS = '100.115.92.2';

/** What the manager and the session manager say. */
export interface Facts {
  /** null: Android does not run. */
  readonly arc: ForwardingArc | null;
  /** On the kernel's command line: cros_debug. */
  readonly isDeveloperMode: boolean;
  readonly isSideloading: boolean;
  readonly links: readonly GuestLink[];
}

export interface Desired {
  readonly gates: readonly GateSpec[];
  readonly targets: readonly Target[];
}

const NOTHING: Desired = { gates: [], targets: [] };

/** What is to be relayed when the manager is followed. */
export function desiredOf(config: Config, facts: Facts): Desired {
  const { arc, links } = facts;
  if (arc === null || !isAllowed(config.allow, facts)) return NOTHING;
  const own = config.listen.length > 0 ? ownGates(config) : ['127.0.0.1', '::1'].map(loopback);
  return { gates: [...own, ...links.map(guestGate)], targets: targetsOf(arc) };
}

/** What --listen asks for. */
export const ownGates = ({ listen, from, autoOff }: Config): readonly GateSpec[] =>
  listen.map((place) => ({ place, from: isLoopback(place.address) ? null : from, autoOff }));

export function isAllowed(
  allow: Allow,
  { isDeveloperMode, isSideloading }: Pick<Facts, 'isDeveloperMode' | 'isSideloading'>,
): boolean {
  switch (allow) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'sideload':
      return isDeveloperMode || isSideloading;
  }
}

/** A container’s socket or a VM’s vsock, then TCP. */
export function targetsOf(arc: ForwardingArc): readonly Target[] {
  const first: Target =
    arc.kind === 'container'
      ? { via: 'unix', path: CONTAINER_SOCKET }
      : { via: 'vsock', cid: arc.cid, port: ADB_PORT };
  return [first, { via: 'tcp', address: ARC_ADDRESS, port: ADB_PORT }];
}

const loopback = (address: string): GateSpec => ({
  place: { address, port: ADB_PORT },
  from: null,
  autoOff: null,
});

/** The device keeps out neighbours of the LAN that send to the guest-facing address; a VM’s own source address is checked by the manager. */
const guestGate = ({ ifname, address }: GuestLink): GateSpec => ({
  place: { address, port: ADB_PORT, device: ifname },
  from: null,
  autoOff: null,
});
