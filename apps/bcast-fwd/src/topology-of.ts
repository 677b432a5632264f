import { matchesIfname, type InterfaceAddress, type InterfacesView, type InterfaceView } from '@pp/ports';
import { ipv4ToNumber, macToBytes, parseCidr, parseIpv4, parseMac } from '@pp/wire';
import { linkAddress, type LinkAddress, type RelayLink, type Role } from './core/link';
import { macNumber } from './core/mac-number';
import type { Direction } from './core/settings';
import type { Topology } from './core/topology';
import type { DesiredPair } from './desired';

/** Why an interface that is named is not served now. */
export type Absence = 'absent' | 'down' | 'unsuitable';

export interface Served {
  readonly topology: Topology;
  /** By name or pattern; a pattern that nothing matches is absent. */
  readonly missing: ReadonlyMap<string, Absence>;
}

export interface Wishes {
  readonly pairs: readonly DesiredPair[];
  readonly direction: Direction;
  /** By interface name. */
  readonly targets: ReadonlyMap<string, readonly number[]>;
}

/** linux/if_arp.h: Ethernet; PPP; no header at all (WireGuard, TUN). */
const [ARPHRD_ETHER, ARPHRD_PPP, ARPHRD_NONE] = [1, 512, 0xfffe];
const WITHOUT_ETHERNET = new Set([ARPHRD_PPP, ARPHRD_NONE]);
/** RFC 791 §3.2: every link carries so much; less would not hold a fragment behind the longest header. */
const MIN_MTU = 68;

/** What the wishes come to with the interfaces that there are. One that is a LAN somewhere is a guest nowhere. */
export function servedBy(wishes: Wishes, view: InterfacesView): Served {
  const links = new Map<number, RelayLink>(); // BOUNDED: by the interfaces
  const exits = new Map<number, number[]>(); // BOUNDED: by the interfaces
  const missing = new Map<string, Absence>();
  const lans = new Set(wishes.pairs.map(({ lan }) => lan));
  const find = (pattern: string, role: Role): readonly RelayLink[] => {
    const matches = view.links.filter(
      ({ ifname }) =>
        matchesIfname(pattern, ifname) && ifname !== 'lo' && (role === 'lan' || !lans.has(ifname)),
    );
    if (matches.length === 0) missing.set(pattern, 'absent');
    return matches.flatMap((each) => {
      const link = relayLink(each, role, view, wishes.targets);
      if (typeof link === 'object') return links.get(link.ifindex) ?? link;
      missing.set(each.ifname, link);
      return [];
    });
  };
  for (const { lan, guest } of wishes.pairs) {
    const [uplinks, guests] = [find(lan, 'lan'), find(guest, 'guest')];
    for (const link of [...uplinks, ...guests]) links.set(link.ifindex, link);
    for (const uplink of uplinks)
      for (const { ifindex } of guests) {
        if (wishes.direction !== 'outbound') put(exits, uplink.ifindex, ifindex);
        if (wishes.direction !== 'inbound') put(exits, ifindex, uplink.ifindex);
      }
  }
  return { topology: { links, exits, own: ownOf(view) }, missing };
}

function put(exits: Map<number, number[]>, from: number, to: number): void {
  const known = exits.get(from) ?? [];
  if (!known.includes(to)) exits.set(from, [...known, to]);
}

function relayLink(
  { ifname, ifindex, type, running, mtu, mac }: InterfaceView,
  role: Role,
  { addresses }: InterfacesView,
  targets: Wishes['targets'],
): RelayLink | Absence {
  const parsed = type === ARPHRD_ETHER ? parseMac(mac) : null;
  if ((parsed === null && !WITHOUT_ETHERNET.has(type)) || mtu < MIN_MTU) return 'unsuitable';
  if (!running) return 'down';
  const own = addresses.filter((each) => each.ifindex === ifindex && each.usable);
  return {
    ifindex,
    ifname,
    role,
    mac: parsed === null ? null : macToBytes(parsed),
    mtu,
    addresses: own.flatMap(addressOf),
    targets: targets.get(ifname) ?? [],
  };
}

function addressOf({ cidr, broadcast = '' }: InterfaceAddress): readonly LinkAddress[] {
  const [parsed, set] = [parseCidr(cidr), parseIpv4(broadcast)];
  if (parsed?.family !== 'ipv4') return [];
  return [linkAddress(ipv4ToNumber(parsed.address), parsed.length, set === null ? null : ipv4ToNumber(set))];
}

const ownOf = ({ links, addresses }: InterfacesView): Topology['own'] => ({
  macs: new Set(
    links.flatMap(({ mac }) => {
      const parsed = parseMac(mac);
      return parsed === null || parsed === NO_MAC ? [] : [macNumber(macToBytes(parsed))];
    }),
  ),
  addresses: new Set(addresses.flatMap((each) => addressOf(each).map(({ address }) => address))),
});

/** The loopback's. */
const NO_MAC = '00:00:00:00:00:00';
