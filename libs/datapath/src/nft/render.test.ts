import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TABLE_CASES } from '../testing/shapes';
import { arrivalChain, egressChain, forwardChain, pinChain, tagChain } from './chains';
import { elementText, rulesetText, staleChains } from './render';
import { chainNames } from './ruleset';
import { SETS, setNamed } from './sets';

// After a wanted change: UPDATE_GOLDEN=1 npx jest render, and read the difference.
test.each(TABLE_CASES)('the text of $name is the golden one', ({ name, shape, elements }) => {
  const file = join(__dirname, 'golden', `${name}.nft`);
  const text = rulesetText(shape, elements, []);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
});

const names = [
  { name: 'letters, digits, dash, dot, underscore stay', in: 'en-p3.100_x', want: 'egress_to_en-p3.100_x' },
  { name: 'an at sign', in: 'wg@home', want: 'egress_to_wg/40/home' },
  { name: 'a letter beyond ASCII', in: 'ü0', want: 'egress_to_/fc/0' },
  { name: 'what nft would take for something else', in: '0;drop', want: 'egress_to_0/3b/drop' },
];

test.each(names)('a chain named after an interface: $name', ({ in: ifname, want }) => {
  expect(egressChain({ kind: 'uplink', ifname })).toBe(want);
});

test('an uplink called "default" or "user" has a chain of its own', () => {
  const chains = (['default', 'user', 'nowhere'] as const).map((kind) => egressChain({ kind }));
  const uplinks = ['default', 'user', 'nowhere'].map((ifname) => egressChain({ kind: 'uplink', ifname }));
  expect(new Set([...chains, ...uplinks]).size).toBe(6);
});

test('chains of an uplink that goes are stale, and deleted after all that could use them', () => {
  const [before, after] = [
    { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: [] },
    { uplinks: [{ ifname: 'wlan0', ifindex: 3 }], guestPrefixes: [] },
  ];
  const stale = staleChains(chainNames(before), after);
  expect(stale).toEqual([
    egressChain({ kind: 'uplink', ifname: 'eth0' }),
    pinChain('eth0'),
    forwardChain('eth0'),
    arrivalChain('eth0'),
    tagChain('eth0'),
  ]);
  const lines = rulesetText(after, [], stale).split('\n');
  const deletion = lines.indexOf('delete chain inet patchpanel egress_to_eth0');
  expect(deletion).toBeGreaterThan(lines.findLastIndex((line) => line.startsWith('flush')));
});

const elements = [
  { name: 'a name is quoted', in: { set: 'guests', key: ['arc_ns0'] }, want: '"arc_ns0"' },
  {
    name: 'fields are joined',
    in: { set: 'guest_services', key: ['arc_ns0', 'udp', '53'] },
    want: '"arc_ns0" . udp . 53',
  },
  {
    name: 'a verdict',
    in: { set: 'guest_egress', key: ['arc_ns0'], jump: 'egress_user' },
    want: '"arc_ns0" : jump egress_user',
  },
  {
    name: 'a value',
    in: { set: 'port_forwards', key: ['eth0', 'tcp', '80'], data: ['10.0.0.2', '8080'] },
    want: '"eth0" . tcp . 80 : 10.0.0.2 . 8080',
  },
];

test.each(elements)('an element as text: $name', ({ in: element, want }) => {
  expect(elementText(element)).toBe(want);
});

test.each([
  { name: 'a field too few', in: { set: 'guest_mac', key: ['arc_ns0'] } },
  { name: 'a verdict in a set', in: { set: 'guests', key: ['arc_ns0'], jump: 'egress_user' } },
  { name: 'a map without verdict', in: { set: 'guest_egress', key: ['arc_ns0'] } },
  { name: 'a value in a set', in: { set: 'guests', key: ['arc_ns0'], data: ['10.0.0.2'] } },
  { name: 'half a value', in: { set: 'port_forwards', key: ['eth0', 'tcp', '80'], data: ['10.0.0.2'] } },
  { name: 'a set of others', in: { set: 'nat', key: ['arc_ns0'] } },
])('no element of ours: $name', ({ in: element }) => {
  expect(() => elementText(element)).toThrow();
});

test('every set is known by its name', () => {
  for (const spec of Object.values(SETS)) expect(setNamed(spec.name)).toBe(spec);
});
