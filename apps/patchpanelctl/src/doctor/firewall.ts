import { REFERENCE_PREFIX } from '@pp/datapath';
import type { Facts } from './facts';
import { ok, problem, unseen, warning, type Finding } from './finding';
import { walk, type ForwardedPacket } from './forward-walk';
import type { FirewallChain } from './ruleset';

const NAME = 'firewall';
/** Where no guest is yet. */
const GUEST_LINKS = ['vmtap0', 'arc_ns0'];
/** BOUNDED: of so many links is one packet each way walked; others are of the same names. */
const MAX_LINKS = 8;

/** Chains of others through which forwarded packets pass after ours, or before: a packet lives only if all of them accept it. */
export function firewall({ firewall: chains, legacyFilters, ...facts }: Facts): readonly Finding[] {
  if (!chains.ok) return [unseen(NAME, chains)];
  const packets = packetsOf(facts);
  const bases = chains.value.filter(isForeignForward);
  const found = [
    ...bases.flatMap((base) => dropped(base, chains.value, packets)),
    ...legacyFilters.map((program) => legacy(program, namesOf(packets))),
  ];
  return found.length > 0 ? found : [ok(NAME, `${bases.length} chains of others let guests' packets pass`)];
}

const isForeignForward = ({ family, table, hook }: FirewallChain): boolean =>
  hook === 'forward' && ['ip', 'ip6', 'inet'].includes(family) && !/^patchpanel(_|$)/.test(table);

const legacy = (program: string, names: readonly string[]): Finding =>
  warning(
    NAME,
    `${program}-legacy has a filter table, which nft does not show`,
    `see that its FORWARD chain accepts guests: ${program}-legacy -S FORWARD; else ${letThrough(
      names,
      ['i', 'o'],
      (way, each) => `${program}-legacy -I FORWARD -${way} ${each}+ -j ACCEPT`,
    )}`,
  );

/** Of each guest's link the first packet out and its answer. */
function packetsOf({ network, manager }: Pick<Facts, 'network' | 'manager'>): readonly ForwardedPacket[] {
  const own = network.ok ? network.value.own.map(({ ifname }) => ifname) : [];
  const links = own.length === 0 ? GUEST_LINKS : own.slice(0, MAX_LINKS);
  const uplinks = manager.ok ? manager.value.uplinks : [];
  const uplink = uplinks.find((each) => each.default) ?? uplinks[0] ?? { ifname: defaultOf(network) };
  return links.flatMap((link) => [
    { iifname: link, oifname: uplink.ifname, established: false },
    { iifname: uplink.ifname, oifname: link, established: true },
  ]);
}

function defaultOf(network: Facts['network']): string {
  if (!network.ok) return 'eth0';
  const { routes, links } = network.value.view;
  const way = routes.find(({ dst }) => dst.endsWith('/0'));
  return links.find(({ ifindex }) => ifindex === way?.ifindex)?.ifname ?? 'eth0';
}

/** The first packet that surely is, or else the first that may be. */
function dropped(
  base: FirewallChain,
  all: readonly FirewallChain[],
  packets: readonly ForwardedPacket[],
): readonly Finding[] {
  const ends = packets
    .map((packet) => ({ packet, end: walk(base, all, base.family === 'ip' ? fromGuest(packet) : packet) }))
    .filter(({ end }) => end.verdict === 'drop');
  const [first] = ends.toSorted((a, b) => Number(a.end.maybe) - Number(b.end.maybe));
  if (first === undefined) return [];
  const { packet, end } = first;
  const found = `chain ${base.name} of table ${base.family} ${base.table} drops packets from ${packet.iifname} to ${packet.oifname} by ${end.by}`;
  const advice = adviceFor(base, all, namesOf(ends.map((each) => each.packet)));
  return [
    end.maybe
      ? warning(NAME, `${found}, unless one of its rules accepts them`, advice)
      : problem(NAME, `${found}, and no accept of ours can overrule that`, advice),
  ];
}

/** Tailscale drops what goes into its tunnel from there, others all of 100.64.0.0/10. */
const fromGuest = (packet: ForwardedPacket): ForwardedPacket =>
  packet.established ? packet : { ...packet, source: REFERENCE_PREFIX };

/** The guest's. */
const linkOf = ({ iifname, oifname, established }: ForwardedPacket): string =>
  established ? oifname : iifname;

/** How the names of all such guests' links begin. */
const namesOf = (packets: readonly ForwardedPacket[]): readonly string[] => [
  ...new Set(packets.map((packet) => (linkOf(packet).startsWith('vmtap') ? 'vmtap' : 'arc'))),
];

/** Both ways: what comes unasked is held back by our own table. */
const letThrough = (
  names: readonly string[],
  ways: readonly [string, string],
  command: (way: string, names: string) => string,
): string =>
  `let guests through: ${names.flatMap((each) => ways.map((way) => command(way, each))).join(' && ')}`;

/** By the marks that the firewalls of this world leave in their rulesets. */
function adviceFor(
  { family, table, name }: FirewallChain,
  all: readonly FirewallChain[],
  names: readonly string[],
): string {
  const has = (chain: string): boolean =>
    all.some((each) => each.family === family && each.table === table && each.name === chain);
  const iptables = family === 'ip6' ? 'ip6tables' : 'iptables';
  if (table === 'firewalld') {
    const links = names.map((each) => `--add-interface=${each}+`).join(' ');
    return `give guests' links to a zone that forwards: firewall-cmd --permanent --zone=trusted ${links} && firewall-cmd --reload`;
  }
  if (has('ufw-before-forward') || has('ufw6-before-forward'))
    return letThrough(names, ['in', 'out'], (way, each) => `ufw route allow ${way} on ${each}+`);
  if (has('DOCKER-USER'))
    return letThrough(
      names,
      ['i', 'o'],
      (way, each) => `${iptables} -I DOCKER-USER -${way} ${each}+ -j ACCEPT`,
    );
  return letThrough(
    names,
    ['iifname', 'oifname'],
    (way, each) => `nft insert rule ${family} ${table} ${name} ${way} '"${each}*"' accept`,
  );
}
