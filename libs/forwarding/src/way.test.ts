import { wayName, wayNamed, waysMeet, type Way } from './way';

const way = (guest: string, more: Partial<Way> = {}): Way => ({ what: 'mdns', lan: 'eth0', guest, ...more });

test('a name tells its way again, and no other name does', () => {
  const name = wayName('mcastfwd', way('vmtap*'));
  expect(name).toBe('@patchpanel_mcastfwd/mdns/eth0/vmtap*');
  expect(wayNamed('mcastfwd', name)).toEqual({ what: 'mdns', lan: 'eth0', guest: 'vmtap*' });
  const others = ['@patchpanel_mcastfwd', '@patchpanel_bcast-fwd/mdns/eth0/vg1', `${name}/more`, '@/a/b/c'];
  expect(others.map((other) => wayNamed('mcastfwd', other))).toEqual([null, null, null, null]);
});

test.each(['239.255.255.250:3702', '[ff02::fb]:5353', 'ports 1024-65535'])('%s is told again', (what) => {
  const own = way('vg1', { what });
  expect(wayNamed('mcastfwd', wayName('mcastfwd', own))).toEqual(own);
});

const ports = (range: string): Way => way('vg1', { what: `ports ${range}` });

const rows: readonly { name: string; a: Way; b: Way; want: boolean }[] = [
  { name: 'the same', a: way('vg1'), b: way('vg1'), want: true },
  { name: 'another guest', a: way('vg1'), b: way('vg2'), want: false },
  { name: 'a guest whose name begins so', a: way('vg1'), b: way('vg11'), want: false },
  { name: 'a guest of the pattern', a: way('vg*'), b: way('vg1'), want: true },
  { name: 'a guest named like the stem', a: way('vg*'), b: way('vg'), want: true },
  { name: 'no guest of the pattern', a: way('vg1*'), b: way('vg'), want: false },
  { name: 'patterns, one within the other', a: way('v*'), b: way('vg*'), want: true },
  { name: 'patterns apart', a: way('vg*'), b: way('vmtap*'), want: false },
  { name: 'another LAN', a: way('vg1'), b: way('vg1', { lan: 'wlan0' }), want: false },
  { name: 'the pair the other way round', a: way('vg1'), b: way('eth0', { lan: 'vg1' }), want: true },
  { name: 'so, of patterns', a: way('vg*'), b: way('eth*', { lan: 'vg1' }), want: true },
  { name: 'so, of another guest', a: way('vg1'), b: way('eth0', { lan: 'vg2' }), want: false },
  { name: 'so, of another LAN', a: way('vg1'), b: way('eth1', { lan: 'vg1' }), want: false },
  { name: 'something else', a: way('vg1'), b: way('vg1', { what: 'ssdp' }), want: false },
  { name: 'ranges, one within the other', a: ports('1024-65535'), b: ports('6969-6969'), want: true },
  { name: 'ranges with a port in common', a: ports('9-137'), b: ports('137-138'), want: true },
  { name: 'ranges apart', a: ports('9-136'), b: ports('137-138'), want: false },
];
test.each(rows)('waysMeet: $name', ({ a, b, want }) => {
  expect([waysMeet(a, b), waysMeet(b, a)]).toEqual([want, want]);
});
