import { arc, namespace, uplink, vm, worldOf } from '../testing/worlds';
import { countedOf, isCountedChanged } from './counted';
import { withGuest, withoutGuests, type World } from './world';

const eth = uplink('eth0', 'ethernet', 100);
const vpn = uplink('tun0', 'vpn', 1);

test('uplinks, awaited ones too, and the links of guests as their packets come in', () => {
  const guests = [
    vm('termina', 'vmtap0'),
    vm('plugin', 'vmtap1'),
    namespace(4, { kind: 'user' }),
    arc('eth0'),
  ];
  expect(countedOf({ ...worldOf([vpn, eth], guests), awaited: ['wwan0'] })).toEqual({
    uplinks: [
      { ifname: 'tun0', vpn: true },
      { ifname: 'eth0', vpn: false },
      { ifname: 'wwan0', vpn: false },
    ],
    links: [
      { ifname: 'vmtap0', guest: 'termina/5' },
      { ifname: 'vmtap1', guest: 'plugin/5' },
      { ifname: 'arc_ns4', guest: 'namespace/4' },
      { ifname: 'arcbr0', guest: 'arc/0' },
      { ifname: 'arc_eth0', guest: 'arc/0' },
    ],
  });
});

const BASE = worldOf([eth], [vm('termina', 'vmtap0')]);
const seen = { ...vm('termina', 'vmtap0'), neighbors: [{ ifname: 'vmtap0', address: '2001:db8::1', upstream: 'eth0' }] }; // prettier-ignore
const rows: readonly { name: string; to: World; want: boolean }[] = [
  { name: 'nothing', to: BASE, want: false },
  { name: 'an address of an uplink', to: { ...BASE, uplinks: [{ ...eth, addresses: ['192.0.2.2/24'] }] }, want: false }, // prettier-ignore
  { name: 'a neighbour of a guest', to: withGuest(BASE, seen), want: false },
  { name: 'an uplink more', to: { ...BASE, uplinks: [eth, vpn] }, want: true },
  { name: 'an awaited uplink', to: { ...BASE, awaited: ['wwan0'] }, want: true },
  { name: 'the kind of an uplink', to: { ...BASE, uplinks: [uplink('eth0', 'vpn', 100)] }, want: true },
  { name: 'a guest more', to: withGuest(BASE, namespace(1, { kind: 'default' })), want: true },
  { name: 'a guest less', to: withoutGuests(BASE, ['termina/5']), want: true },
];

test.each(rows)('$name: changed is $want, both ways', ({ to, want }) => {
  expect([isCountedChanged(BASE, to), isCountedChanged(to, BASE)]).toEqual([want, want]);
});
