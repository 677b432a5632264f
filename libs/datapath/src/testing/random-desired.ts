import { SharedMap } from '@pp/base';
import type { SeededRandom } from '@pp/base/testing';
import type { Bridge, Desired, Element, Part, Route, Shape, Tap } from '../desired';
import { TRAFFIC_SOURCES } from '../marks';
import { GUEST_MAC_CHAIN, type Egress } from '../nft/chains';
import { SETS } from '../nft/sets';
import { guestLinkSysctls, namespacePart } from '../parts/namespace';
import { dnsPart, portRulePart, type PortRule } from '../parts/ports';
import { uplinksPart, type UplinkNetwork } from '../parts/uplinks';
import { ALIAS_PREFIX } from '../tags';
import type { FakeHost } from './fake-kernel';

/** Three uplinks, one with a name that needs care. A host for random states must have links of these names, indexes and addresses. */
export const RANDOM_UPLINKS: readonly UplinkNetwork[] = [
  uplink('eth0', 2, 'ethernet', '192.0.2.10/24', '192.0.2.1'),
  uplink('wlan0', 3, 'wifi', '198.51.100.10/24', '198.51.100.1'),
  uplink('wg@home', 4, 'vpn', '203.0.113.10/32', '203.0.113.254'),
];

/** The same on the fake kernel. */
export const RANDOM_HOST: FakeHost & { readonly sysctls: ReadonlyMap<string, string> } = {
  links: RANDOM_UPLINKS.map(({ ifname, addresses }) => ({ ifname, addresses })),
  sysctls: new Map([
    ['net.ipv4.ip_forward', '0'],
    ['net.ipv4.ip_local_port_range', '32768\t60999'],
    ['net.ipv6.conf.eth0.accept_ra', '1'],
  ]),
};

const SYSCTL_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['net.ipv4.ip_forward', ['1']],
  ['net.ipv4.ip_local_port_range', ['32768\t47103', '32768\t60999', '40000\t50000']],
  ['net.ipv6.conf.eth0.accept_ra', ['2', '1']],
  ['net.ipv6.conf.eth0.force_forwarding', ['1']], // which this kernel does not have
]);

/**
 * A valid state. `fixed`: what cannot be observed (the far ends of veths, who owns a TAP, whose a namespace is) depends on names
 * alone, and a sysctl's value on its key, as in life.
 */
export function randomDesired(random: SeededRandom, { fixed }: { readonly fixed: boolean }): Desired {
  const uplinks = RANDOM_UPLINKS.filter(() => random.below(2) === 0);
  const shape: Shape | null = random.below(8) === 0 ? null : randomShape(random, uplinks);
  const parts = new Map<string, Part>();
  if (random.below(4) > 0) parts.set('uplinks', uplinksPart(uplinks));
  for (let number = 0; number < 5; number++) {
    if (random.below(2) === 0)
      parts.set(`namespace/${number}`, randomNamespace(random, number, uplinks, fixed));
  }
  if (random.below(2) === 0) parts.set('bridged', bridgedPart(random, fixed));
  for (let port = 1; port <= 4; port++) {
    if (random.below(2) === 0) parts.set(`port/${port}`, portRulePart(randomPortRule(random, port)));
  }
  if (random.below(2) === 0) parts.set('dns', randomDns(random));
  const withoutTable = [...parts].map(([owner, part]) => [owner, { ...part, elements: [] }] as const);
  return {
    shape,
    sysctls: randomSysctls(random, fixed),
    parts: SharedMap.of(shape === null ? withoutTable : parts),
  };
}

/** A state that shares most parts, by reference, with `desired`. */
export function neighbourOf(desired: Desired, random: SeededRandom): Desired {
  const owners = [...desired.parts.keys()];
  return { ...desired, parts: desired.parts.changed([], owners.length > 0 ? [random.pick(owners)] : []) };
}

function uplink(
  ifname: string,
  ifindex: number,
  kind: UplinkNetwork['kind'],
  address: string,
  gateway: string,
): UplinkNetwork {
  const dst = address.replace(/\.10\/24$/, '.0/24');
  return {
    ifname,
    ifindex,
    kind,
    addresses: [address],
    defaults: [{ family: 'ipv4', gateway, metric: 100 }],
    routes: dst === address ? [] : [{ family: 'ipv4', dst, gateway: null, src: null, metric: 0 }],
  };
}

const randomShape = (random: SeededRandom, uplinks: readonly UplinkNetwork[]): Shape => ({
  uplinks: uplinks.map(({ ifname, ifindex }) => ({
    ifname,
    ifindex: ifindex + (random.below(4) === 0 ? 10 : 0),
  })),
  guestPrefixes: ['100.115.92.0/23', '10.80.0.0/16', ...(random.below(2) === 0 ? ['10.81.0.0/16'] : [])],
  sessionUser: random.pick([null, 1000]),
  userDns:
    random.below(2) === 0 ? [] : [{ family: 'ipv4', proxy: '100.115.92.130', nameservers: ['192.0.2.53'] }],
  ...(random.below(2) === 0 ? {} : { lockdown: true }),
});

const randomSysctls = (random: SeededRandom, fixed: boolean): ReadonlyMap<string, string> =>
  new Map(
    [...SYSCTL_VALUES]
      .filter(() => random.below(2) === 0)
      .map(([key, values]) => [key, fixed ? (values[0] ?? '') : random.pick(values)]),
  );

function randomNamespace(
  random: SeededRandom,
  number: number,
  uplinks: readonly UplinkNetwork[],
  fixed: boolean,
): Part {
  const egresses: readonly Egress[] = [
    { kind: 'default' },
    { kind: 'user' },
    { kind: 'nowhere' },
    ...uplinks.map(({ ifname }) => ({ kind: 'uplink' as const, ifname })),
  ];
  const variant = fixed ? 0 : random.below(2);
  return namespacePart({
    number,
    subnet: `100.115.92.${128 + 4 * number}/30`,
    hostMac: `02:00:00:00:${random.below(3)}0:0${number}`,
    peerMac: `02:00:00:00:ff:${variant}${number}`,
    client: number % 2 === 0 ? null : { pid: 4000 + number, inode: 4026532000 + variant },
    egress: random.pick(egresses),
    source: random.pick(TRAFFIC_SOURCES),
    allowUserTraffic: random.below(2) === 0,
    forceForwarding: number % 2 === 0, // a matter of the kernel, so it never changes
  });
}

/** Of each port one rule, whose target may change. */
function randomPortRule(random: SeededRandom, port: number): PortRule {
  const protocol = port % 2 === 0 ? 'tcp' : 'udp';
  const to = { address: `100.115.92.${130 + 4 * random.below(4)}`, port: 8000 + random.below(2) };
  const ifname = random.pick(['eth0', 'br0', 'arc_ns1']);
  return random.pick<PortRule>([
    { type: 'access', protocol, ifname: random.below(2) === 0 ? null : ifname, port },
    { type: 'lockdown', protocol, port },
    { type: 'forwarding', protocol, ifname, port, to, address: random.pick([null, '192.0.2.10']) },
    {
      type: 'forwarding',
      protocol,
      ifname,
      port,
      to: { ...to, address: 'fd00::2' },
      address: random.pick([null, 'fd00::1']),
    },
  ]);
}

const randomDns = (random: SeededRandom): Part =>
  dnsPart([
    { ifname: 'br0', family: 'ipv4', proxy: `100.115.92.${130 + 4 * random.below(2)}` },
    { ifname: 'arc_ns1', family: 'ipv6', proxy: `fd00::${random.below(2)}` },
  ]);

/** Bridges that come and go under TAPs that stay, move, or are free. */
function bridgedPart(random: SeededRandom, fixed: boolean): Part {
  const common = { mac: null, mtu: null, multicast: true };
  const bridges = ['br0', 'br1']
    .filter(() => random.below(3) > 0)
    .map((ifname): Bridge => ({
      ...common,
      kind: 'bridge',
      ifname,
      alias: `${ALIAS_PREFIX}bridge`,
      master: null,
    }));
  const masters = [null, ...bridges.map(({ ifname }) => ifname)];
  const taps = ['tap0', 'tap1', 'tap2']
    .filter(() => random.below(3) > 0)
    .map((ifname): Tap => ({
      ...common,
      kind: 'tap',
      ifname,
      alias: `${ALIAS_PREFIX}tap`,
      mtu: random.pick([1500, 1400, 1280]),
      master: random.pick(masters),
      owner: fixed ? 0 : random.below(2),
    }));
  const address = (ifname: string, net: number): string => `10.80.${net}.1/${ifname === 'br0' ? 24 : 30}`;
  const nets = bridges.map(({ ifname }) => ({ ifname, net: random.below(3) + (ifname === 'br0' ? 0 : 10) }));
  return {
    netns: [],
    links: [...bridges, ...taps],
    addresses: nets.map(({ ifname, net }) => ({ ifname, cidr: address(ifname, net) })),
    routes: nets.flatMap(({ ifname, net }) => (random.below(2) === 0 ? [] : [routeVia(ifname, net)])),
    rules: [],
    elements: nets.flatMap(({ ifname, net }) => bridgeElements(ifname, net)),
    linkSysctls: bridges.flatMap(({ ifname }) => guestLinkSysctls(ifname, false)),
  };
}

const routeVia = (dev: string, net: number): Route => ({
  kind: 'unicast',
  dst: `10.90.${net}.0/28`,
  via: `10.80.${net}.2`,
  dev,
  src: null,
  table: 254,
  metric: 0,
  onlink: false,
});

const bridgeElements = (ifname: string, net: number): readonly Element[] => [
  { set: SETS.guests.name, key: [ifname] },
  { set: SETS.managedGuests.name, key: [ifname] },
  { set: SETS.guestAddress.name, key: [ifname, `10.80.${net}.2`], jump: GUEST_MAC_CHAIN.host },
  { set: SETS.guestServices.name, key: [ifname, 'udp', '5353'] },
];
