import { ipv4ToNumber, type Ipv4Address } from '@pp/wire';
import { indexSetOf, NO_INDEXES } from './index-set';
import {
  allocateSubnet,
  extraPool,
  hostAt,
  indexOfSubnet,
  nthSubnet,
  POOL_KINDS,
  poolsWith,
  selectSubnet,
  subnetCount,
  subnetNumbers,
  type Pools,
} from './pools';
import { poolsBeside } from './pools-beside';

function pools(...extra: string[]): Pools {
  const read = extra.map((text) => {
    const checked = extraPool(text);
    if (!checked.ok) throw new Error(checked.sentence);
    return checked.value;
  });
  const checked = poolsWith(read);
  if (!checked.ok) throw new Error(checked.sentence);
  return checked.value;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

// spec/patchpanel.md 2
const table = [
  { kind: 'arc', count: 5, first: '100.115.92.4/30', last: '100.115.92.20/30' },
  { kind: 'termina', count: 26, first: '100.115.92.24/30', last: '100.115.92.124/30' },
  { kind: 'namespace', count: 16, first: '100.115.92.128/30', last: '100.115.92.188/30' },
  { kind: 'lxd', count: 4, first: '100.115.92.192/28', last: '100.115.92.240/28' },
  { kind: 'plugin', count: 32, first: '100.115.93.0/29', last: '100.115.93.248/29' },
] as const;

test.each(table)('the reference pool $kind', ({ kind, count, first, last }) => {
  const pool = pools().byKind[kind];
  expect(subnetCount(pool)).toBe(count);
  expect([0, 1, count, count + 1, -1, 1.5].map((index) => nthSubnet(pool, index))).toEqual([
    null,
    first,
    last,
    null,
    null,
    null,
  ]);
});

test('no two indexes have the same subnet', () => {
  const all = pools('namespace=10.80.0.0/24', 'namespace=10.9.0.0/28');
  for (const kind of POOL_KINDS) {
    const pool = all.byKind[kind];
    const subnets = upTo(subnetCount(pool)).map((index) => nthSubnet(pool, index) ?? '');
    expect(new Set(subnets).size).toBe(subnets.length);
  }
});

test('the lowest free subnet is allocated, and none beyond the end', () => {
  const all = pools();
  expect(allocateSubnet(all, 'namespace', NO_INDEXES)).toEqual({ index: 1, prefix: '100.115.92.128/30' });
  expect(allocateSubnet(all, 'namespace', indexSetOf([1, 2, 4]))).toEqual({
    index: 3,
    prefix: '100.115.92.136/30',
  });
  expect(allocateSubnet(all, 'namespace', indexSetOf(upTo(16)))).toBeNull();
});

test('extra address space comes behind the reference pool, in the order given', () => {
  const all = pools('namespace=10.80.0.0/29', 'namespace=10.9.0.0/30');
  const { namespace } = all.byKind;
  expect(subnetCount(namespace)).toBe(19);
  expect([16, 17, 18, 19, 20].map((index) => nthSubnet(namespace, index))).toEqual([
    '100.115.92.188/30',
    '10.80.0.0/30',
    '10.80.0.4/30',
    '10.9.0.0/30',
    null,
  ]);
  expect(all.guestPrefixes).toEqual(['100.115.92.0/23', '10.80.0.0/29', '10.9.0.0/30']);
});

test('a pool of millions costs nothing until it is used', () => {
  const all = pools('namespace=10.0.0.0/8');
  expect(subnetCount(all.byKind.namespace)).toBe(16 + 2 ** 22);
  let used = NO_INDEXES;
  for (let i = 0; i < 2000; i++)
    used = indexSetOf([allocateSubnet(all, 'namespace', used)?.index ?? 0], used);
  expect(allocateSubnet(all, 'namespace', used)).toEqual({ index: 2001, prefix: '10.0.31.0/30' });
  expect(used.words).toHaveLength(63);
});

const refused = [
  { name: 'no kind', in: '10.80.0.0/16', want: /write KIND=CIDR/ },
  { name: 'an unknown kind', in: 'vm=10.80.0.0/16', want: /one of namespace, termina, lxd, plugin, arc/ },
  { name: 'a kind of every object', in: 'constructor=10.80.0.0/16', want: /write KIND=CIDR/ },
  { name: 'no prefix', in: 'namespace=', want: /no IPv4 prefix/ },
  { name: 'an address', in: 'namespace=10.80.0.0', want: /no IPv4 prefix/ },
  { name: 'IPv6', in: 'namespace=fd00::/64', want: /no IPv4 prefix/ },
  {
    name: 'host bits',
    in: 'namespace=10.80.0.1/16',
    want: /set beyond its length; write namespace=10\.80\.0\.0\/16$/,
  },
  {
    name: 'too small',
    in: 'lxd=10.80.0.0/29',
    want: /no room for one \/28 subnet; write a length of at most 28$/,
  },
  { name: 'loopback', in: 'namespace=127.0.0.0/16', want: /no addresses for guests/ },
  { name: 'everything', in: 'namespace=0.0.0.0/0', want: /no addresses for guests/ },
  { name: 'multicast', in: 'namespace=224.0.0.0/8', want: /no addresses for guests/ },
];

test.each(refused)('--pool refused: $name', ({ in: text, want }) => {
  expect(extraPool(text)).toMatchObject({
    ok: false,
    reason: 'InvalidArgument',
    sentence: expect.stringMatching(want) as string,
  });
});

test.each([
  { name: 'the reference range', in: ['termina=100.115.93.0/24'] },
  { name: 'another', in: ['lxd=10.80.0.0/16', 'plugin=10.80.128.0/20'] },
])('--pool refused where it overlaps $name', ({ in: texts }) => {
  expect(() => pools(...texts)).toThrow(/overlaps/);
});

const selections = [
  {
    name: 'any',
    kind: 'plugin',
    index: 0,
    want: { ok: true, value: { index: 1, prefix: '100.115.93.0/29' } },
  },
  {
    name: 'a free one',
    kind: 'plugin',
    index: 32,
    want: { ok: true, value: { index: 32, prefix: '100.115.93.248/29' } },
  },
  { name: 'one in use', kind: 'plugin', index: 5, want: { ok: false, reason: 'AlreadyExists' } },
  { name: 'beyond the end', kind: 'plugin', index: 33, want: { ok: false, reason: 'InvalidArgument' } },
  { name: 'a negative one', kind: 'plugin', index: -1, want: { ok: false, reason: 'InvalidArgument' } },
  {
    name: 'from a pool without choice',
    kind: 'termina',
    index: 1,
    want: { ok: false, reason: 'InvalidArgument' },
  },
] as const;

test.each(selections)('a subnet by number: $name', ({ kind, index, want }) => {
  expect(selectSubnet(pools(), kind, index, indexSetOf([5]))).toMatchObject(want);
});

test('any of a pool that is used up', () => {
  expect(selectSubnet(pools(), 'lxd', 0, indexSetOf([1, 2, 3, 4]))).toMatchObject({
    ok: false,
    reason: 'ResourceExhausted',
  });
});

test('the host has the first address of a subnet, the guest the second', () => {
  expect([hostAt('100.115.92.128/30', 0), hostAt('100.115.92.128/30', 1)]).toEqual([
    '100.115.92.129',
    '100.115.92.130',
  ]);
  const base = ipv4ToNumber('100.115.92.128' as Ipv4Address);
  expect(subnetNumbers('100.115.92.128/30')).toEqual({ base, length: 30, host: base + 1, guest: base + 2 });
  for (const text of ['', '100.115.92.128', '100.115.92/30', 'fd00::/64'])
    expect(() => hostAt(text, 0)).toThrow(RangeError);
});

test('a subnet is found by its number, and its number by the subnet', () => {
  const all = pools('termina=10.80.0.0/28', 'termina=10.79.0.0/29');
  const pool = all.byKind.termina;
  const subnets = Array.from({ length: subnetCount(pool) }, (_, i) => nthSubnet(pool, i + 1) ?? '');
  expect(subnets.map((subnet) => indexOfSubnet(pool, subnet))).toEqual(subnets.map((_, i) => i + 1));
  for (const other of ['10.80.0.16/30', '10.80.0.0/29', '10.80.0.0/31', '100.115.92.128/30'])
    expect(indexOfSubnet(pool, other)).toBeNull();
});

test('prefixes of guests do not overlap, whatever pools guests of an earlier run have theirs from', () => {
  const former = [
    { kind: 'termina', cidr: '10.80.0.0/16' },
    { kind: 'plugin', cidr: '10.81.0.0/16' },
    { kind: 'lxd', cidr: '10.82.0.0/16' },
  ] as const;
  const now = pools('namespace=10.80.4.0/24', 'lxd=10.82.0.0/17', 'plugin=10.81.0.0/16');
  const held = [
    { kind: 'termina', subnet: '10.80.4.0/30' },
    { kind: 'plugin', subnet: '10.81.0.0/29' },
    { kind: 'lxd', subnet: '10.82.128.0/28' },
  ] as const;
  const beside = poolsBeside(now, former, held);
  expect(beside.guestPrefixes).toEqual(['100.115.92.0/23', '10.81.0.0/16', '10.80.0.0/16', '10.82.0.0/16']);
  expect(beside.held).toEqual([held[0], held[2]]);
  expect(poolsBeside(now, former, [held[1]])).toBe(now);
});
