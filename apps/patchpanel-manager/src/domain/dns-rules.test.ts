import { SharedMap } from '@pp/base';
import { worldOf } from '../testing/worlds';
import { dnsRuleKey, type DnsRule } from './dns-rules';
import { dnsRuleFor, withAllGuests } from './world';

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

/** Of each purpose the rule in force, as "PURPOSE: PROXY". */
function inForce(rules: readonly DnsRule[]): readonly string[] {
  const dnsRules = SharedMap.of(rules.map((rule, i) => [dnsRuleKey(i), rule]));
  const world = withAllGuests({ ...worldOf([], []), dnsRules }, []);
  return [...world.held.dns.keys()].map(
    (purpose) => `${purpose}: ${dnsRuleFor(world, purpose)?.proxy ?? 'none'}`,
  );
}

test.each([
  { name: 'nothing', in: [], want: [] },
  {
    name: 'of two alike the newest',
    in: [guest('default', 'a', '10.0.0.1'), guest('default', 'a', '10.0.0.2')],
    want: ['ipv4 a: 10.0.0.2'],
  },
  {
    name: "ARC's, however old",
    in: [guest('arc', 'a', '10.0.0.1'), guest('default', 'a', '10.0.0.2')],
    want: ['ipv4 a: 10.0.0.1'],
  },
  {
    name: 'one for each link and family',
    in: [
      guest('default', 'a', '10.0.0.1'),
      guest('default', 'b', '10.0.0.1'),
      guest('default', 'a', 'fd00::1'),
    ],
    want: ['ipv4 a: 10.0.0.1', 'ipv4 b: 10.0.0.1', 'ipv6 a: fd00::1'],
  },
  {
    name: 'for users the newest of each family',
    in: [user('10.0.0.1', '8.8.8.8'), user('fd00::1'), user('10.0.0.2', '1.1.1.1')],
    want: ['user ipv4: 10.0.0.2', 'user ipv6: fd00::1'],
  },
])('redirections in force: $name', ({ in: rules, want }) => {
  expect(inForce(rules)).toEqual(want);
});
