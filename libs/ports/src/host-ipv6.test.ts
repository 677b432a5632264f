import { hostIpv6Of, IPV6_WARNINGS } from './host-ipv6';

test.each([
  { name: 'as Linux has it', in: '0', want: 'on' },
  { name: 'switched off', in: '1', want: 'off' },
  { name: 'no such key', in: null, want: 'absent' },
])('$name: $want', ({ in: value, want }) => {
  expect(hostIpv6Of(value)).toBe(want);
});

test('only a host with IPv6 is not warned of', () => {
  const count = Object.entries(IPV6_WARNINGS).map(([state, { length }]) => [state, length]);
  expect(count).toEqual([
    ['on', 0],
    ['off', 1],
    ['absent', 1],
  ]);
});
