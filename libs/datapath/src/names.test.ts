import {
  arcBridgeName,
  arcVethName,
  isIfname,
  isIfnamePattern,
  namespaceNames,
  prefixedIfname,
} from './names';

const ifnames = [
  { name: 'an ordinary one', in: 'eth0', want: true },
  { name: 'a VLAN and a dash', in: 'enp3s0.100-x_y', want: true },
  { name: 'an at sign', in: 'wg@home', want: true },
  { name: 'fifteen bytes', in: 'a23456789012345', want: true },
  { name: 'sixteen bytes', in: 'a234567890123456', want: false },
  { name: 'fifteen characters that are more bytes', in: 'ü23456789012345', want: false },
  { name: 'fifteen bytes with a wide character', in: 'ü2345678901234', want: true },
  { name: 'nothing', in: '', want: false },
  { name: 'this directory', in: '.', want: false },
  { name: 'the directory above', in: '..', want: false },
  { name: 'three dots', in: '...', want: true },
  { name: 'a slash', in: 'a/b', want: false },
  { name: 'a blank', in: 'a b', want: false },
  { name: 'a line break', in: 'a\n', want: false },
  { name: 'a no-break space', in: 'a\u00a0', want: false },
  { name: 'a template', in: 'vmtap%d', want: false },
  { name: 'a colon', in: 'eth0:1', want: false },
  { name: 'a quote, which nft cannot say', in: 'a"b', want: false },
  { name: 'a star, which nft takes for a wildcard', in: 'eth*', want: false },
  { name: 'a zero byte', in: 'a\0b', want: false },
  { name: 'half a surrogate pair', in: 'a\ud800', want: false },
];

test.each(ifnames)('isIfname: $name', ({ in: text, want }) => {
  expect(isIfname(text)).toBe(want);
});

const prefixed = [
  { name: 'it fits', in: ['arc_', 'eth0'], want: 'arc_eth0' },
  { name: 'fifteen characters fit', in: ['arc_', 'wlan1234567'], want: 'arc_wlan1234567' },
  {
    name: 'sixteen are cut, the last character stays',
    in: ['arc_', 'wlan12345678'],
    want: 'arc_wlan1234568',
  },
  { name: 'far too long', in: ['veth', 'enx001122334455'], want: 'vethenx00112235' },
  { name: 'wide characters are cut whole', in: ['arc_', 'üüüüüü'], want: 'arc_üüüüü' },
] as const;

test.each(prefixed)('prefixedIfname: $name', ({ in: [prefix, name], want }) => {
  expect(prefixedIfname(prefix, name)).toBe(want);
});

test('names of an uplink in ARC', () => {
  expect([arcBridgeName('wlan0'), arcVethName('wlan0'), arcVethName('arc0')]).toEqual([
    'arc_wlan0',
    'vethwlan0',
    'vetharc0',
  ]);
});

test('names of a namespace', () => {
  expect(namespaceNames(7)).toEqual({ netns: 'connected_netns_7', host: 'arc_ns7', peer: 'veth7' });
});

test.each([
  { in: 'br0.20', want: true },
  { in: 'vmtap*', want: true },
  { in: '*', want: false },
  { in: '', want: false },
  { in: '**', want: false },
  { in: 'vm tap', want: false },
  { in: 'sixteen-letters.', want: false },
])('isIfnamePattern("$in")', ({ in: text, want }) => {
  expect(isIfnamePattern(text)).toBe(want);
});
