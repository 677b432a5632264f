import { hostIpv6Of, IPV6_WARNINGS } from './host-ipv6';

const IPV4 = { 'net.ipv4.ip_forward': '0' };
const withIpv6 = (disabled: string): Record<string, string> => ({
  ...IPV4,
  'net.ipv6.conf.all.disable_ipv6': disabled,
});

const rows: readonly { name: string; in: Readonly<Record<string, string>>; want: string }[] = [
  { name: 'as Linux has it', in: withIpv6('0'), want: 'on' },
  { name: 'switched off', in: withIpv6('1'), want: 'off' },
  { name: 'keys of IPv4 alone', in: IPV4, want: 'absent' },
  { name: 'no /proc', in: {}, want: 'on' },
];
test.each(rows)('$name: $want', ({ in: sysctls, want }) => {
  expect(hostIpv6Of((key) => sysctls[key] ?? null)).toBe(want);
});

test('only a host with IPv6 is not warned of', () => {
  const count = Object.entries(IPV6_WARNINGS).map(([state, { length }]) => [state, length]);
  expect(count).toEqual([
    ['on', 0],
    ['off', 1],
    ['absent', 1],
  ]);
});
