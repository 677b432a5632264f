import { arcPart } from './arc';

test.each([
  { name: 'without a VPN', vpn: null, want: 'egress_nowhere' },
  { name: 'with the host in a VPN', vpn: 'tun0', want: 'egress_to_tun0' },
  { name: 'with its own VPN, into which it goes by itself', vpn: 'arcbr0', want: 'egress_nowhere' },
])("Android's management link leads, $name, to $want", ({ vpn, want }) => {
  const { elements } = arcPart({
    key: 'arc/0',
    container: null,
    management: { link: 'vmtap1', mac: '42:37:05:13:17:01' },
    taps: [],
    tapOwner: 0,
    devices: [],
    forceForwarding: false,
    vpn,
  });
  expect(elements).toContainEqual({ set: 'guest_egress', key: ['arcbr0'], jump: want });
});
