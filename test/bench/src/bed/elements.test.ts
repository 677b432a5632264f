import { elementsOf } from './elements';

const ARC_NS0 = '6172635f6e733000' + '0'.repeat(16);

test.each([
  {
    name: 'a set of names',
    in: { set: { name: 'g', type: 'ifname', elem: ['arc_ns0'] } },
    want: [`g:${ARC_NS0}`],
  },
  {
    name: 'a verdict map',
    in: {
      map: { name: 'm', type: 'ifname', map: 'verdict', elem: [['arc_ns0', { jump: { target: 'egress' } }]] },
    },
    want: [`m:${ARC_NS0}:egress`],
  },
  {
    name: 'a concatenation',
    in: {
      set: { name: 's', type: ['ifname', 'ipv4_addr'], elem: [{ concat: ['arc_ns0', '100.115.92.130'] }] },
    },
    want: [`s:${ARC_NS0}64735c82`],
  },
  {
    name: 'short fields are padded in a concatenation',
    in: { set: { name: 's', type: ['inet_proto', 'inet_service'], elem: [{ concat: ['udp', 53] }] } },
    want: ['s:1100000000350000'],
  },
  {
    name: 'and nowhere else',
    in: { set: { name: 'p', type: 'inet_service', elem: [8080] } },
    want: ['p:1f90'],
  },
  {
    name: 'a set whose elements have a measure each',
    in: { set: { name: 'h', type: 'ifname', elem: [{ elem: { val: 'arc_ns0', limit: { rate: 32 } } }] } },
    want: [`h:${ARC_NS0}`],
  },
  { name: 'an empty set', in: { set: { name: 'g', type: 'ifname' } }, want: [] },
  { name: 'a chain', in: { chain: { name: 'x' } }, want: [] },
])('$name', ({ in: object, want }) => {
  expect(elementsOf({ nftables: [{ metainfo: {} }, object] })).toEqual(want);
});

test('a type that the floor cannot write is an error', () => {
  const listing = { nftables: [{ set: { name: 'e', type: 'ipv6_addr', elem: ['fe80::1'] } }] };
  expect(() => elementsOf(listing)).toThrow('ipv6_addr');
});
