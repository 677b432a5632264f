import { facts, listingDifference, nftFacts, sysctlFacts } from './listing';

const RULE = { family: 'inet', table: 't', chain: 'c' };

const ROWS = [
  {
    name: 'a link keeps what was configured and loses its statistics',
    in: facts('link', [{ ifname: 'eth0', group: '20560', stats64: { rx: { bytes: 9 } } }]),
    want: ['link {"group":"20560","ifname":"eth0"}'],
  },
  {
    name: 'an address loses its lifetimes and the link around it',
    in: facts('addr', [
      { ifname: 'a', mtu: 1500, addr_info: [{ local: '::1', valid_life_time: 7, preferred_life_time: 7 }] },
    ]),
    want: ['addr {"addr_info":[{"local":"::1"}],"ifname":"a"}'],
  },
  {
    name: 'a route learnt from an advertisement loses its time left',
    in: facts('route6', [{ dst: 'default', expires: 1799 }, { dst: 'fe80::/64' }]),
    want: ['route6 {"dst":"default"}', 'route6 {"dst":"fe80::/64"}'],
  },
  {
    name: 'rules are numbered by chain and lose handles and counts',
    in: nftFacts({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        { rule: { ...RULE, handle: 5, expr: [{ counter: { packets: 3, bytes: 180 } }, { drop: null }] } },
        { rule: { ...RULE, chain: 'd', handle: 6, expr: [] } },
        { rule: { ...RULE, handle: 7, expr: [{ accept: null }] } },
      ],
    }),
    want: [
      'nft rule inet t c #0 {"chain":"c","expr":[{"counter":{}},{"drop":null}],"family":"inet","table":"t"}',
      'nft rule inet t c #1 {"chain":"c","expr":[{"accept":null}],"family":"inet","table":"t"}',
      'nft rule inet t d #0 {"chain":"d","expr":[],"family":"inet","table":"t"}',
    ],
  },
  {
    name: 'elements are sorted and lose their expiry',
    in: nftFacts({ nftables: [{ set: { name: 's', elem: [{ elem: { val: 'b', expires: 3 } }, 'a'] } }] }),
    want: ['nft set {"elem":["a",{"elem":{"val":"b"}}],"name":"s"}'],
  },
  {
    name: 'an empty ruleset has no facts',
    in: nftFacts([]),
    want: [],
  },
  {
    name: 'sysctls of the machine are not of the host',
    in: sysctlFacts('net.ipv4.tcp_available_ulp = tls\nnet.ipv4.ip_forward = 1\n'),
    want: ['sysctl net.ipv4.ip_forward = 1'],
  },
];

test.each(ROWS)('$name', ({ in: listing, want }) => {
  expect(listing).toEqual(want);
});

test('a difference says what is gone and what is new', () => {
  expect(listingDifference(['same', 'old'], ['new', 'same'])).toEqual(['- old', '+ new']);
  expect(listingDifference(['a', 'b'], ['a', 'b'])).toEqual([]);
  expect(listingDifference(['a'], ['a', 'a'])).toEqual(['+ a']);
});
