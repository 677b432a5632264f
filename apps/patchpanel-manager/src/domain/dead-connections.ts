import { hostAt, hostsOf, isIpv6Forwarding, type PortRule } from '@pp/datapath';
import type { DeadConnections } from '@pp/ports';
import { parseCidr } from '@pp/wire';
import type { DnsRule } from './dns-rules';
import { subnetsOf, type Guest } from './guest';
import { guestNamed } from './neighbors';
import type { Uplink } from './uplink';
import type { World } from './world';

const FAMILIES = ['ipv4', 'ipv6'] as const;

/**
 * Connections that a change leaves without a way, and those that it should not leave any: of guests that are gone, whose addresses the next ones
 * get, and streams of UDP to a port, and lookups of a guest, that lead elsewhere now: they have no end of their own. All others live on.
 */
export const deadConnections = (from: World, to: World): DeadConnections => ({
  ...(from.uplinks === to.uplinks ? NONE : deadOnUplinks(from.uplinks, to.uplinks)),
  guests: from.guests
    .beside(to.guests)
    .flatMap(([key, guest]) => (to.guests.has(key) ? [] : guestAddresses(guest))),
  udp: [...from.portRules.beside(to.portRules), ...to.portRules.beside(from.portRules)].flatMap(
    ([, { rule }]) => udpPlaces(rule, to.uplinks),
  ),
  lookups: [...from.dnsRules.beside(to.dnsRules), ...to.dnsRules.beside(from.dnsRules)].flatMap(([, rule]) =>
    whoseLookups(rule, to),
  ),
});

const NONE = { pinned: [], addressed: [] };

const guestAddresses = (guest: Guest): readonly string[] =>
  subnetsOf(guest).flatMap(({ kind, subnet }) => (kind === 'lxd' ? hostsOf(subnet) : [hostAt(subnet, 1)]));

/**
 * Pinned to an interface that is gone, or that has no default route of their family any more, or known outside by an address that it has
 * lost.
 */
function deadOnUplinks(
  from: readonly Uplink[],
  to: readonly Uplink[],
): Pick<DeadConnections, 'pinned' | 'addressed'> {
  const after = new Map(to.map((uplink) => [uplink.ifindex, uplink]));
  const changed = from.flatMap((was) => {
    const now = after.get(was.ifindex);
    return now === undefined || now === was ? [] : [{ was, now }];
  });
  return {
    pinned: [
      ...from.filter(({ ifindex }) => !after.has(ifindex)).map(({ ifindex }) => ({ ifindex, family: null })),
      ...changed.flatMap(({ was, now }) =>
        FAMILIES.filter((family) => leads(was, family) && !leads(now, family)).map((family) => ({
          ifindex: was.ifindex,
          family,
        })),
      ),
    ],
    addressed: changed.flatMap(({ was, now }) =>
      addressesOf(was)
        .filter((address) => !addressesOf(now).includes(address))
        .map((address) => ({ ifindex: was.ifindex, address })),
    ),
  };
}

const leads = ({ defaults }: Uplink, wanted: (typeof FAMILIES)[number]): boolean =>
  defaults.some(({ family }) => family === wanted);

const addressesOf = ({ addresses }: Uplink): readonly string[] =>
  addresses.filter((cidr) => parseCidr(cidr) !== null).map((cidr) => cidr.slice(0, cidr.indexOf('/')));

/** Where a forwarding takes from, over IPv4: the address that it names, or all of the uplink's. */
function udpPlaces(rule: PortRule, uplinks: readonly Uplink[]): DeadConnections['udp'] {
  if (rule.type !== 'forwarding' || rule.protocol !== 'udp' || isIpv6Forwarding(rule)) return [];
  const own = uplinks.filter(({ ifname }) => ifname === rule.ifname).flatMap(addressesOf);
  const addresses = rule.address === null ? own.filter((address) => !address.includes(':')) : [rule.address];
  return addresses.map((address) => ({ address, port: rule.port }));
}

/** The host's own users mostly ask from another port each time. */
function whoseLookups(rule: DnsRule, world: World): readonly string[] {
  if (rule.type === 'user' || rule.family === 'ipv6') return [];
  const guest = guestNamed(world, 'link', rule.ifname);
  return guest === undefined ? [] : guestAddresses(guest);
}
