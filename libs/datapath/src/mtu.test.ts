import { ETHERNET_MTU, guestMtu } from './mtu';

test.each([
  { name: 'no uplink', in: undefined, want: ETHERNET_MTU },
  { name: 'Ethernet', in: 1500, want: 1500 },
  { name: 'a tunnel', in: 1420, want: 1420 },
  { name: 'too small for IPv6', in: 576, want: 1280 },
  { name: 'jumbo frames', in: 9000, want: 9000 },
  { name: 'more than a TAP can have', in: 65535, want: 65521 },
])('$name: $want', ({ in: uplink, want }) => {
  expect(guestMtu(uplink)).toBe(want);
});
