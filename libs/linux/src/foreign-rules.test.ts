import type { Rule } from '@pp/netlink';
import { firstForeignRule, overridingTables } from './foreign-rules';

const rule = (change: Partial<Rule>): Rule => ({
  family: 'ipv4',
  priority: 100,
  fwmark: null,
  iif: null,
  oif: null,
  from: null,
  to: null,
  table: 7,
  suppressPrefixLength: null,
  protocol: 3,
  ...change,
});
const WG_QUICK: readonly Rule[] = [
  rule({ priority: 998, table: 254, suppressPrefixLength: 0 }),
  rule({ priority: 999, table: 51820, fwmark: { value: 51820, mask: 0xffffffff }, inverted: true }),
];

const rows = [
  { name: 'none', in: [], first: undefined, tables: [] },
  {
    name: "the kernel's own",
    in: [
      rule({ priority: 0, table: 255 }),
      rule({ priority: 32766, table: 254 }),
      rule({ priority: 32767, table: 253 }),
    ],
    first: undefined,
    tables: [],
  },
  { name: 'ours', in: [rule({ protocol: 80 })], first: undefined, tables: [] },
  { name: "wg-quick's: all but what bears a mark", in: WG_QUICK, first: 998, tables: [51820] },
  { name: 'one that every packet meets', in: [rule({})], first: 100, tables: [7] },
  {
    name: 'those that some packets meet',
    in: [
      rule({ from: '10.0.0.0/8' }),
      rule({ to: '10.0.0.0/8' }),
      rule({ iif: 'eth0' }),
      rule({ oif: 'eth0' }),
      rule({ fwmark: { value: 1, mask: 1 } }),
    ],
    first: undefined,
    tables: [],
  },
  {
    name: 'of several the lowest',
    in: [rule({ priority: 9 }), rule({ priority: 5 })],
    first: 5,
    tables: [7],
  },
];

test.each(rows)('rules that come before ours: $name', ({ in: rules, first, tables }) => {
  expect(firstForeignRule(rules)).toBe(first);
  expect(overridingTables(rules)).toEqual(tables);
});
