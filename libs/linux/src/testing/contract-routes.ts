import type { Route, Rule } from '@pp/datapath';
import { routeWords } from './contract-row';
import type { KernelRow } from './contract-row';
import { address, netns, SEEN_ADDRESS, SEEN_NETNS, SEEN_VETH, veth } from './contract-things';
import { ROUTE, RULE } from './ops';

const route = (change: Partial<Route> = {}): Route => ({ ...ROUTE, ...change });
const onEth0: Partial<Route> = { dev: 'eth0', via: '192.0.2.1', src: null };

export const ROUTES: readonly KernelRow[] = [
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
export const RULES: readonly KernelRow[] = [
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
