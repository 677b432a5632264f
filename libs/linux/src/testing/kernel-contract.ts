import { KernelError } from '@pp/base';
import { rulesetText, SETS } from '@pp/datapath';
import type { Element, Kernel, Observed, Op, Outcome, Route, Rule, Veth } from '@pp/datapath';
import { ADDRESS, BRIDGE, NETNS, ROUTE, RULE, TAP, VETH } from './ops';

/** What every kernel door does. */
export interface KernelRow {
  readonly name: string;
  /** Steps that are done before. */
  readonly given?: readonly Op[];
  readonly ops: readonly Op[];
  /** "done" or an errno, step by step, up to the first refusal; what comes after that is free. */
  readonly want: readonly string[];
  /** What is there in the end. */
  readonly seen?: readonly string[];
  /** Needs /dev/net/tun. */
  readonly tap?: true;
}

/** The host that the rows need: one link that is not ours, and these sysctls. */
export const CONTRACT_HOST = {
  links: [{ ifname: 'eth0', addresses: ['192.0.2.10/24'] }],
  sysctls: new Map([
    ['net.ipv4.ip_forward', '0'],
    ['net.ipv4.ip_local_port_range', '32768\t60999'],
  ]),
};

export const CONTRACT_ASK = {
  netns: [NETNS.name, 'pptest_other'],
  sysctls: [...CONTRACT_HOST.sysctls.keys()],
};

/** Outcomes as the rows want them: cut behind the first refusal. */
export function outcomeWords(outcomes: readonly Outcome[]): readonly string[] {
  const words = outcomes.map((outcome) => (outcome instanceof KernelError ? outcome.code : outcome));
  const refused = outcomes.findIndex((outcome) => outcome instanceof KernelError);
  return refused < 0 ? words : words.slice(0, refused + 1);
}

/** All that is ours, one line each, sorted; ifindexes and MAC addresses that nobody chose are left out. */
export function seenWords(observed: Observed): readonly string[] {
  return [
    ...observed.netns.map((name) => `netns ${name}`),
    ...observed.links.map(
      ({ ifname, alias, mtu, up, multicast, master, mac }) =>
        `link ${ifname} ${alias} mtu ${mtu} ${up ? 'up' : 'down'}${multicast ? ' multicast' : ''}${master === null ? '' : ` in ${master}`}${CHOSEN.has(mac) ? ` ${mac}` : ''}`,
    ),
    ...observed.addresses
      .filter(({ cidr }) => !cidr.startsWith('fe80:'))
      .map(({ ifname, cidr }) => `address ${cidr} on ${ifname}`),
    ...observed.routes.map(routeWords),
    ...observed.rules.map(
      ({ family, priority, fwmark, table }) =>
        `rule ${family} ${priority} ${fwmark?.value ?? 'all'} to ${table}`,
    ),
    ...(observed.table ? ['table'] : []),
    ...[...observed.sysctls].flatMap(([key, value]) =>
      CONTRACT_HOST.sysctls.get(key) === value ? [] : [`${key} = ${value.replace(/\s+/g, ' ')}`],
    ),
  ].sort();
}

const NEW_MAC = '02:00:00:00:00:77';
const CHOSEN: ReadonlySet<string> = new Set(
  [VETH.mac, BRIDGE.mac, TAP.mac, NEW_MAC].flatMap((mac) => mac ?? []),
);

const routeWords = ({ kind, dst, via, dev, src, table, metric, onlink }: Route): string =>
  `route ${kind} ${dst} via ${via} dev ${dev} src ${src} table ${table} metric ${metric}${onlink ? ' onlink' : ''}`;

/** Runs one row. */
export async function runRow(
  kernel: Kernel,
  { given = [], ops }: KernelRow,
): Promise<{ given: readonly string[]; outcomes: readonly string[]; seen: readonly string[] }> {
  const before = outcomeWords(await kernel.apply(given));
  const outcomes = outcomeWords(await kernel.apply(ops));
  return {
    given: before.filter((word) => word !== 'done'),
    outcomes,
    seen: seenWords(await kernel.observe(CONTRACT_ASK)),
  };
}

const netns: Op = { do: 'netns.add', netns: NETNS };
const veth: Op = { do: 'link.add', link: VETH };
const bridge: Op = { do: 'link.add', link: BRIDGE };
const tap: Op = { do: 'link.add', link: TAP };
const address: Op = { do: 'address.add', address: ADDRESS };
const route = (change: Partial<Route> = {}): Route => ({ ...ROUTE, ...change });
const second: Veth = {
  ...VETH,
  ifname: 'pptest_ns1',
  mac: '02:00:00:00:00:77',
  peer: { ...VETH.peer, ifname: 'pptest_veth1', mac: '02:00:00:00:00:78', gateway: null },
};
const onEth0: Partial<Route> = { dev: 'eth0', via: '192.0.2.1', src: null };

const SEEN_NETNS = `netns ${NETNS.name}`;
const SEEN_VETH = `link ${VETH.ifname} ${VETH.alias} mtu 1500 up ${VETH.mac}`;
const SEEN_BRIDGE = `link ${BRIDGE.ifname} ${BRIDGE.alias} mtu 1400 up multicast ${BRIDGE.mac}`;
const SEEN_ADDRESS = `address ${ADDRESS.cidr} on ${VETH.ifname}`;

const NAMESPACES: readonly KernelRow[] = [
  { name: 'a namespace gets a name', ops: [netns], want: ['done'], seen: [SEEN_NETNS] },
  { name: 'a name that is taken', given: [netns], ops: [netns], want: ['EEXIST'], seen: [SEEN_NETNS] },
  { name: 'a name goes', given: [netns], ops: [{ do: 'netns.del', netns: NETNS }], want: ['done'], seen: [] },
  { name: 'a name that is not there', ops: [{ do: 'netns.del', netns: NETNS }], want: ['ENOENT'], seen: [] },
];

const LINKS: readonly KernelRow[] = [
  { name: 'a veth', given: [netns], ops: [veth], want: ['done'], seen: [SEEN_NETNS, SEEN_VETH] },
  { name: 'a bridge', ops: [bridge], want: ['done'], seen: [SEEN_BRIDGE] },
  {
    name: 'a TAP',
    tap: true,
    ops: [tap],
    want: ['done'],
    seen: [`link ${TAP.ifname} ${TAP.alias} mtu 1450 up multicast ${TAP.mac}`],
  },
  { name: 'a TAP that is there', tap: true, given: [tap], ops: [tap], want: ['EEXIST'] },
  {
    name: 'a TAP under the name of a bridge',
    tap: true,
    given: [bridge],
    ops: [{ do: 'link.add', link: { ...TAP, ifname: BRIDGE.ifname } }],
    want: ['EEXIST'],
    seen: [SEEN_BRIDGE],
  },
  { name: 'a veth into a namespace that is not there', ops: [veth], want: ['ENOENT'], seen: [] },
  {
    name: 'a veth that is there',
    given: [netns, veth],
    ops: [veth],
    want: ['EEXIST'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'the name of a link that is not ours',
    given: [netns],
    ops: [{ do: 'link.add', link: { ...VETH, ifname: 'eth0' } }, address],
    want: ['EEXIST'],
    seen: [SEEN_NETNS],
  },
  {
    name: 'the name of the peer is taken in its namespace',
    given: [netns, veth],
    ops: [{ do: 'link.add', link: { ...second, peer: { ...second.peer, ifname: VETH.peer.ifname } } }],
    want: ['EEXIST'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'a port of a bridge made with it',
    given: [netns],
    ops: [bridge, { do: 'link.add', link: { ...VETH, master: BRIDGE.ifname } }],
    want: ['done', 'done'],
    seen: [
      SEEN_BRIDGE,
      SEEN_NETNS,
      `link ${VETH.ifname} ${VETH.alias} mtu 1500 up in ${BRIDGE.ifname} ${VETH.mac}`,
    ],
  },
  {
    name: 'a port of a bridge that is not there leaves nothing',
    given: [netns],
    ops: [{ do: 'link.add', link: { ...VETH, master: 'pptest_none' } }],
    want: ['ENODEV'],
    seen: [SEEN_NETNS],
  },
  {
    name: 'all that can be changed',
    given: [netns, veth, bridge],
    ops: [
      {
        do: 'link.set',
        link: { ...VETH, mac: NEW_MAC, mtu: 1300, multicast: true, master: BRIDGE.ifname },
        was: VETH,
      },
    ],
    want: ['done'],
    seen: [
      SEEN_BRIDGE,
      SEEN_NETNS,
      `link ${VETH.ifname} ${VETH.alias} mtu 1300 up multicast in ${BRIDGE.ifname} ${NEW_MAC}`,
    ],
  },
  {
    name: 'out of its bridge',
    given: [netns, bridge, { do: 'link.add', link: { ...VETH, master: BRIDGE.ifname } }],
    ops: [{ do: 'link.set', link: VETH, was: { ...VETH, master: BRIDGE.ifname } }],
    want: ['done'],
    seen: [SEEN_BRIDGE, SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'a change of what is not there',
    ops: [{ do: 'link.set', link: BRIDGE, was: BRIDGE }],
    want: ['ENODEV'],
    seen: [],
  },
  {
    name: 'a link goes, with its address',
    given: [netns, veth, address],
    ops: [{ do: 'link.del', link: VETH }],
    want: ['done'],
    seen: [SEEN_NETNS],
  },
  { name: 'a link that is not there', ops: [{ do: 'link.del', link: VETH }], want: ['ENODEV'], seen: [] },
  {
    name: 'a link that is not ours is never deleted',
    ops: [{ do: 'link.del', link: { ...VETH, ifname: 'eth0' } }],
    want: ['ENODEV'],
    seen: [],
  },
  {
    name: 'several go at once',
    given: [netns, veth, { do: 'link.add', link: second }, bridge],
    ops: [
      { do: 'link.del', link: VETH },
      { do: 'link.del', link: second },
    ],
    want: ['done', 'done'],
    seen: [SEEN_BRIDGE, SEEN_NETNS],
  },
  {
    name: 'a bridge goes, its port stays',
    given: [netns, bridge, { do: 'link.add', link: { ...VETH, master: BRIDGE.ifname } }],
    ops: [{ do: 'link.del', link: BRIDGE }],
    want: ['done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'gone and back under the same name',
    given: [netns, veth, address],
    ops: [{ do: 'link.del', link: VETH }, veth, address],
    want: ['done', 'done', 'done'],
    seen: [SEEN_ADDRESS, SEEN_NETNS, SEEN_VETH],
  },
];

const ADDRESSES: readonly KernelRow[] = [
  {
    name: 'an address',
    given: [netns, veth],
    ops: [address],
    want: ['done'],
    seen: [SEEN_ADDRESS, SEEN_NETNS, SEEN_VETH],
  },
  { name: 'an address that is there', given: [netns, veth, address], ops: [address], want: ['EEXIST'] },
  { name: 'an address on a link that is not there', ops: [address], want: ['ENODEV'] },
  {
    name: 'an address goes',
    given: [netns, veth, address],
    ops: [{ do: 'address.del', address: ADDRESS }],
    want: ['done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'an address that is not there',
    given: [netns, veth],
    ops: [{ do: 'address.del', address: ADDRESS }],
    want: ['EADDRNOTAVAIL'],
  },
];

const ROUTES: readonly KernelRow[] = [
  {
    name: 'a route, on a link made with it',
    given: [netns],
    ops: [veth, address, { do: 'route.add', route: ROUTE }],
    want: ['done', 'done', 'done'],
    seen: [SEEN_ADDRESS, SEEN_NETNS, SEEN_VETH, routeWords(ROUTE)],
  },
  {
    name: 'a route by a link of others',
    ops: [{ do: 'route.add', route: route(onEth0) }],
    want: ['done'],
    seen: [routeWords(route(onEth0))],
  },
  {
    name: 'a route that is there',
    given: [{ do: 'route.add', route: route(onEth0) }],
    ops: [{ do: 'route.add', route: route(onEth0) }],
    want: ['EEXIST'],
  },
  {
    name: 'a gateway out of reach',
    ops: [{ do: 'route.add', route: route({ ...onEth0, via: '198.51.100.1' }) }],
    want: ['ENETUNREACH'],
    seen: [],
  },
  {
    name: 'a gateway out of reach, said to be on the link',
    ops: [{ do: 'route.add', route: route({ ...onEth0, via: '198.51.100.1', onlink: true }) }],
    want: ['done'],
    seen: [routeWords(route({ ...onEth0, via: '198.51.100.1', onlink: true }))],
  },
  {
    name: 'a route by a link that is not there',
    ops: [{ do: 'route.add', route: route({ dev: 'pptest_none' }) }],
    want: ['ENODEV'],
    seen: [],
  },
  ...(['blackhole', 'throw'] as const).flatMap((kind) =>
    ['10.9.0.0/24', 'fd09::/64'].map((dst): KernelRow => {
      const wanted = route({ kind, dst, via: null, dev: null, src: null, metric: 77 });
      return {
        name: `${kind} ${dst}`,
        ops: [{ do: 'route.add', route: wanted }],
        want: ['done'],
        seen: [routeWords(wanted)],
      };
    }),
  ),
  {
    name: 'a route goes',
    given: [{ do: 'route.add', route: route(onEth0) }],
    ops: [{ do: 'route.del', route: route(onEth0) }],
    want: ['done'],
    seen: [],
  },
  {
    name: 'a route that is not there',
    ops: [{ do: 'route.del', route: route(onEth0) }],
    want: ['ESRCH'],
    seen: [],
  },
  {
    name: 'a route with another gateway is another route',
    given: [{ do: 'route.add', route: route(onEth0) }],
    ops: [{ do: 'route.del', route: route({ ...onEth0, via: '192.0.2.2' }) }],
    want: ['ESRCH'],
    seen: [routeWords(route(onEth0))],
  },
];

const NO_RULE: Rule = { ...RULE, fwmark: null };
const SEEN_RULE = `rule ipv4 1010 ${RULE.fwmark?.value} to 1002`;
const RULES: readonly KernelRow[] = [
  {
    name: 'rules',
    ops: [
      { do: 'rule.add', rule: RULE },
      { do: 'rule.add', rule: { ...NO_RULE, family: 'ipv6' } },
    ],
    want: ['done', 'done'],
    seen: [SEEN_RULE, 'rule ipv6 1010 all to 1002'],
  },
  {
    name: 'a rule that is there',
    given: [{ do: 'rule.add', rule: RULE }],
    ops: [{ do: 'rule.add', rule: RULE }],
    want: ['EEXIST'],
    seen: [SEEN_RULE],
  },
  {
    name: 'a rule goes',
    given: [{ do: 'rule.add', rule: RULE }],
    ops: [{ do: 'rule.del', rule: RULE }],
    want: ['done'],
    seen: [],
  },
  { name: 'a rule that is not there', ops: [{ do: 'rule.del', rule: RULE }], want: ['ENOENT'], seen: [] },
];

const SHAPE = { uplinks: [], guestPrefixes: ['100.115.92.0/23'] };
const text = rulesetText(SHAPE, [], []);
const load: Op = { do: 'nft.load', text, was: null };
const guest = (ifname: string): Element => ({ set: SETS.guests.name, key: [ifname] });
const verdict: Element = { set: SETS.guestSource.name, key: ['pptest_ns0'], jump: 'source_arc' };
const elements = (add: readonly Element[], del: readonly Element[] = []): Op => ({
  do: 'nft.elements',
  add,
  del,
});

const TABLES: readonly KernelRow[] = [
  { name: 'a ruleset', ops: [load], want: ['done'], seen: ['table'] },
  {
    name: 'a ruleset over itself',
    given: [load, elements([guest('a')])],
    ops: [load],
    want: ['done'],
    seen: ['table'],
  },
  {
    name: 'a ruleset that is none',
    ops: [{ do: 'nft.load', text: 'add rule inet patchpanel nope accept\n', was: null }],
    want: ['ENOENT'],
    seen: [],
  },
  {
    name: 'a table goes',
    given: [load],
    ops: [{ do: 'nft.load', text: null, was: text }],
    want: ['done'],
    seen: [],
  },
  {
    name: 'a table that is not there',
    ops: [{ do: 'nft.load', text: null, was: null }],
    want: ['ENOENT'],
    seen: [],
  },
  { name: 'elements without a table', ops: [elements([guest('a')])], want: ['ENOENT'], seen: [] },
  {
    name: 'elements of several sets',
    given: [load],
    ops: [elements([guest('a'), guest('b'), { set: SETS.guestIp4.name, key: ['a', '10.0.0.1'] }])],
    want: ['done'],
  },
  {
    name: 'an element that is there',
    given: [load, elements([guest('a')])],
    ops: [elements([guest('b'), guest('a')])],
    want: ['EEXIST'],
  },
  {
    name: 'all or nothing: the others of a refused batch are not there',
    given: [load, elements([guest('a')]), elements([guest('c')])],
    ops: [elements([guest('b')]), elements([], [guest('b')]), elements([guest('b'), guest('a')])],
    want: ['done', 'done', 'EEXIST'],
  },
  {
    name: 'an element that is not there',
    given: [load],
    ops: [elements([], [guest('a')])],
    want: ['ENOENT'],
  },
  {
    name: 'elements go',
    given: [load, elements([guest('a'), guest('b')])],
    ops: [elements([], [guest('a'), guest('b')]), elements([], [guest('a')])],
    want: ['done', 'ENOENT'],
  },
  {
    name: 'another verdict for the same key',
    given: [load, elements([verdict])],
    ops: [elements([{ ...verdict, jump: 'source_crosvm' }], [verdict])],
    want: ['done'],
  },
];

const sysctl = (key: string, value: string, onlyIf: string | null = null): Op => ({
  do: 'sysctl.set',
  sysctl: { key, value },
  was: '0',
  onlyIf,
});
const SYSCTLS: readonly KernelRow[] = [
  {
    name: 'a sysctl',
    ops: [sysctl('net.ipv4.ip_forward', '1')],
    want: ['done'],
    seen: ['net.ipv4.ip_forward = 1'],
  },
  {
    name: 'one of several numbers',
    ops: [sysctl('net.ipv4.ip_local_port_range', '32768\t47103')],
    want: ['done'],
    seen: ['net.ipv4.ip_local_port_range = 32768 47103'],
  },
  { name: 'one that is not there', ops: [sysctl('net.ipv4.pptest', '1')], want: ['ENOENT'], seen: [] },
  {
    name: 'only if it holds a value, which it does',
    ops: [sysctl('net.ipv4.ip_forward', '1', '0')],
    want: ['done'],
    seen: ['net.ipv4.ip_forward = 1'],
  },
  {
    name: 'only if it holds a value, which it does not',
    ops: [sysctl('net.ipv4.ip_forward', '1', '2')],
    want: ['done'],
    seen: [],
  },
  {
    name: 'of a link made with it',
    given: [netns],
    ops: [veth, sysctl(`net.ipv6.conf.${VETH.ifname}.accept_ra`, '0')],
    want: ['done', 'done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'of a link that is not there',
    ops: [sysctl('net.ipv6.conf.pptest_none.accept_ra', '0')],
    want: ['ENOENT'],
    seen: [],
  },
];

export const KERNEL_ROWS: readonly KernelRow[] = [
  { name: 'nothing at all', ops: [], want: [], seen: [] },
  ...NAMESPACES,
  ...LINKS,
  ...ADDRESSES,
  ...ROUTES,
  ...RULES,
  ...TABLES,
  ...SYSCTLS,
];
