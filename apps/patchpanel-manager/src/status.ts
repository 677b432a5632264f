import { arcBridgeName, hostAt, leadsOut, namespaceNames, vpnAmong } from '@pp/datapath';
import { namesake, uplinksWithoutDevice } from './domain/arc-devices';
import { guestKey, guestsOfKind, type Arc, type Namespace } from './domain/guest';
import type { Uplink } from './domain/uplink';
import type { World } from './domain/world';
import { guestStatus, type GuestStatus } from './guest-status';
import type { HelperStatus } from './helpers/kept-helper';
import { dnsStatus, portStatus, type DnsStatus, type PortStatus } from './port-status';

/** The answer of the status socket: stable keys, JSON values only. */
export interface Status {
  readonly uplinks: readonly UplinkStatus[];
  readonly namespaces: readonly NamespaceStatus[];
  readonly guests: readonly GuestStatus[];
  readonly ports: readonly PortStatus[];
  readonly dns: readonly DnsStatus[];
  readonly vpn: VpnStatus;
  readonly helpers: readonly HelperStatus[];
  readonly warnings: readonly string[];
}

interface UplinkStatus {
  readonly ifname: string;
  readonly kind: string;
  readonly state: 'up' | 'down' | 'awaited';
  readonly ifindex: number | null;
  readonly addresses: readonly string[];
  /** It holds the best default route. */
  readonly default: boolean;
}

interface VpnStatus {
  /** The uplink that the user's traffic goes by; empty: no VPN is up. */
  readonly ifname: string;
  readonly lockdown: boolean;
  /** uid of the only person of this host whose traffic that is; null: guests' alone. */
  readonly sessionUser: number | null;
}

interface NamespaceStatus {
  readonly id: string;
  readonly netns: string;
  readonly pid: number | null;
  readonly hostIfname: string;
  readonly hostAddress: string;
  readonly peerIfname: string;
  readonly peerAddress: string;
  readonly subnet: string;
  readonly outbound: string;
  readonly source: string;
  readonly allowUserTraffic: boolean;
  readonly owner: number;
}

/** `clashes`: sentences about what is not in the world: the host's own network, and who fights us. */
export function statusOf(world: World, helpers: readonly HelperStatus[], clashes: readonly string[]): Status {
  const best = world.uplinks.find(leadsOut)?.ifname;
  const present = world.uplinks.map(({ ifname, ifindex, kind, running, addresses }): UplinkStatus => ({
    ifname,
    kind,
    state: running ? 'up' : 'down',
    ifindex,
    addresses,
    default: ifname === best,
  }));
  const awaited = world.awaited.map((ifname): UplinkStatus => ({
    ifname,
    kind: '',
    state: 'awaited',
    ifindex: null,
    addresses: [],
    default: false,
  }));
  return {
    uplinks: [...present, ...awaited],
    namespaces: guestsOfKind(world.guests, 'namespace').map(namespaceStatus),
    guests: [...world.guests.values()].flatMap(guestStatus),
    ports: [...world.portRules.values()].map(portStatus),
    dns: [...world.dnsRules.values()].map(dnsStatus),
    vpn: {
      ifname: vpnAmong(world.uplinks)?.ifname ?? '',
      lockdown: world.vpnLockdown,
      sessionUser: world.sessionUser,
    },
    helpers,
    warnings: [...warningsOf(world), ...clashes, ...helpers.flatMap(helperWarning)],
  };
}

function namespaceStatus(guest: Namespace): NamespaceStatus {
  const names = namespaceNames(guest.number);
  return {
    id: guestKey(guest),
    netns: names.netns,
    pid: guest.client?.pid ?? null,
    hostIfname: names.host,
    hostAddress: hostAt(guest.subnet, 0),
    peerIfname: names.peer,
    peerAddress: hostAt(guest.subnet, 1),
    subnet: guest.subnet,
    outbound: guest.egress.kind === 'uplink' ? guest.egress.ifname : guest.egress.kind,
    source: guest.source,
    allowUserTraffic: guest.allowUserTraffic,
    owner: guest.owner,
  };
}

function helperWarning({ name, state, lastEnd, other }: HelperStatus): readonly string[] {
  if (state !== 'waiting') return [];
  // What it said itself went where the manager's log goes.
  const what = `does not stay up: ${lastEnd ?? 'not started yet'}; the log of the manager says why`;
  const isKeptOut = `is not started: another one, pid ${other}, runs already; stop that one or start the manager with --helpers none`;
  return [`helper ${name} ${other === null ? what : isKeptOut}`];
}

function noDefault({ uplinks }: World): readonly string[] {
  if (uplinks.some(leadsOut)) return [];
  return uplinks.some(({ passedOver }) => passedOver === true)
    ? ['shill names no default network: its best service is not connected']
    : ['no uplink holds a default route: guests reach nothing outside'];
}

function warningsOf(world: World): readonly string[] {
  return [
    ...noDefault(world),
    ...world.awaited.map((ifname) => `uplink ${ifname} is not there yet`),
    ...guestsOfKind(world.guests, 'arc').flatMap((arc) => unreached(arc, world)),
  ];
}

/** A container may have more than the reference's addresses, a VM has the TAPs that it was started with. */
const unreached = (arc: Arc, { uplinks }: World): readonly string[] =>
  uplinksWithoutDevice(arc, uplinks).map(({ ifname, kind }) => {
    const other = namesake(arc, ifname);
    return `Android does not reach uplink ${ifname}: ${other === undefined ? noAddress(arc, kind) : `its bridge would be ${arcBridgeName(ifname)}, as that of ${other} is; give one of them a shorter name`}`;
  });

const noAddress = (arc: Arc, kind: Uplink['kind']): string =>
  `all its addresses for ${kind} uplinks are in use; ${arc.container === null ? `it gets one when another ${kind} uplink goes` : 'start the manager with more, e.g. --pool arc=10.80.0.0/28'}`;
