import { SETS } from '@pp/datapath';
import type { Element, Op } from '@pp/datapath';
import { ADDRESS, ELEMENTS, LOAD, NETNS, ROUTE, RULE, SYSCTL, VETH } from './testing/ops';
import { runsOf } from './runs';

const add: Op = { do: 'link.add', link: VETH };
const del: Op = { do: 'link.del', link: VETH };
const set: Op = { do: 'link.set', link: VETH, was: VETH };
const address: Op = { do: 'address.add', address: ADDRESS };
const route: Op = { do: 'route.add', route: ROUTE };
const rule: Op = { do: 'rule.del', rule: RULE };
const GUEST: Element = { set: SETS.guests.name, key: ['pptest_ns0'] };
const netns: Op = { do: 'netns.add', netns: NETNS };

const rows: readonly { name: string; in: readonly Op[]; want: readonly string[] }[] = [
  { name: 'nothing', in: [], want: [] },
  {
    name: 'a guest comes',
    in: [netns, add, add, SYSCTL, SYSCTL, address, route, rule, ELEMENTS],
    want: ['build 0 1 2 3 4 5 6 7', 'elements 8'],
  },
  {
    name: 'a guest comes and nothing else changes',
    in: [netns, add, SYSCTL, address, route, ELEMENTS, ELEMENTS, address],
    want: ['build 0 1 2 3 4 5', 'elements 6', 'build 7'],
  },
  {
    name: 'other guests’ verdicts change with it',
    in: [netns, add, address, { do: 'nft.elements', add: [], del: [GUEST] }],
    want: ['build 0 1 2', 'elements 3'],
  },
  { name: 'no link comes', in: [SYSCTL, address, ELEMENTS], want: ['build 0 1', 'elements 2'] },
  {
    name: 'a guest goes',
    in: [ELEMENTS, rule, route, del, del, { ...netns, do: 'netns.del' }, SYSCTL],
    want: ['elements 0', 'build 1 2', 'delete 3 4', 'unname 5', 'build 6'],
  },
  { name: 'a link after an address begins anew', in: [add, address, add], want: ['build 0 1', 'build 2'] },
  { name: 'a sysctl after a route begins anew', in: [route, SYSCTL, route], want: ['build 0', 'build 1 2'] },
  { name: 'a change of a link is not its making', in: [set, add, set], want: ['build 0', 'build 1 2'] },
  {
    name: 'a namespace after a link begins anew',
    in: [netns, add, netns, add],
    want: ['build 0 1', 'build 2 3'],
  },
  {
    name: 'of many links some at a time; a deletion takes all',
    in: [netns, ...Array.from({ length: 19 }, () => add), address, del, del],
    want: ['build 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16', 'build 17 18 19 20', 'delete 21 22'],
  },
  {
    name: 'loads and elements stand alone',
    in: [LOAD, LOAD, ELEMENTS, ELEMENTS],
    want: ['load 0', 'load 1', 'elements 2', 'elements 3'],
  },
];

test.each(rows)('$name', ({ in: ops, want }) => {
  const text = runsOf(ops).map(({ kind, steps }) => [kind, ...steps.map(({ at }) => at)].join(' '));
  expect(text).toEqual(want);
  expect(runsOf(ops).flatMap(({ steps }) => steps.map(({ op }) => op))).toEqual(ops);
});
