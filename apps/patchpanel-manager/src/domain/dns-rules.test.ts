import { dnsRedirectsOf, userDnsOf, type DnsRule } from './dns-rules';

const guest = (type: 'default' | 'arc', ifname: string, proxy: string): DnsRule => ({
  type,
  family: proxy.includes(':') ? 'ipv6' : 'ipv4',
  ifname,
  proxy,
  owner: 0,
});
const user = (proxy: string, ...nameservers: string[]): DnsRule => ({
  type: 'user',
  family: proxy.includes(':') ? 'ipv6' : 'ipv4',
  proxy,
  nameservers,
  owner: 0,
});

test.each([
  { name: 'nothing', in: [], want: [] },
  { name: 'users are no guests', in: [user('10.0.0.1')], want: [] },
  {
    name: 'of two alike the newest',
    in: [guest('default', 'a', '10.0.0.1'), guest('default', 'a', '10.0.0.2')],
    want: [{ ifname: 'a', family: 'ipv4', proxy: '10.0.0.2' }],
  },
  {
    name: "ARC's, however old",
    in: [guest('arc', 'a', '10.0.0.1'), guest('default', 'a', '10.0.0.2')],
    want: [{ ifname: 'a', family: 'ipv4', proxy: '10.0.0.1' }],
  },
  {
    name: 'one for each link and family',
    in: [
      guest('default', 'a', '10.0.0.1'),
      guest('default', 'b', '10.0.0.1'),
      guest('default', 'a', 'fd00::1'),
    ],
    want: [
      { ifname: 'a', family: 'ipv4', proxy: '10.0.0.1' },
      { ifname: 'b', family: 'ipv4', proxy: '10.0.0.1' },
      { ifname: 'a', family: 'ipv6', proxy: 'fd00::1' },
    ],
  },
])('redirections in force: $name', ({ in: rules, want }) => {
  expect(dnsRedirectsOf(rules)).toEqual(want);
});

test('for users the newest of each family is in force', () => {
  const rules = [user('10.0.0.1', '8.8.8.8'), user('fd00::1'), user('10.0.0.2', '1.1.1.1')];
  expect(userDnsOf(rules)).toEqual([
    { family: 'ipv4', proxy: '10.0.0.2', nameservers: ['1.1.1.1'] },
    { family: 'ipv6', proxy: 'fd00::1', nameservers: [] },
  ]);
});
