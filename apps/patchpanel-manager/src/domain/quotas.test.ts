import { SharedMap } from '@pp/base';
import { arc, namespace, vm, worldOf } from '../testing/worlds';
import type { DnsRule } from './dns-rules';
import type { Guest } from './guest';
import type { OwnedPortRule } from './port-rules';
import { guestQuotaFault, lifelineQuotaFault, MOST_PORT_RULES, portRuleQuotaFault } from './quotas';
import { withAllGuests, type World } from './world';

const namespaces = (count: number, owner: number): readonly Guest[] =>
  Array.from({ length: count }, (_, number) => ({
    ...namespace(number + owner, { kind: 'default' }),
    owner,
  }));

test.each([
  { name: 'the last one', held: 11, owner: 1000, asks: 1000, want: null },
  { name: 'one more', held: 12, owner: 1000, asks: 1000, want: 'uid 1000 has 12 connected namespaces' },
  { name: 'somebody else', held: 12, owner: 1000, asks: 1001, want: null },
  { name: 'root', held: 12, owner: 0, asks: 0, want: null },
])('12 of the 16 namespaces are the most for one user: $name', ({ held, owner, asks, want }) => {
  const fault = guestQuotaFault(worldOf([], namespaces(held, owner)), 'namespace', asks);
  expect(fault?.sentence.slice(0, want?.length) ?? null).toBe(want);
  expect(fault?.reason ?? 'ResourceExhausted').toBe('ResourceExhausted');
});

test('guests are counted by kind', () => {
  const terminas = Array.from({ length: 20 }, (_, id) => ({
    ...vm('termina', ''),
    id: String(id),
    owner: 5,
  }));
  const world = worldOf([], [...terminas, { ...arc(), owner: 5 }]);
  expect(guestQuotaFault(world, 'termina', 5)?.sentence).toContain('uid 5 has 20 termina VMs');
  expect(guestQuotaFault(world, 'plugin', 5)).toBeNull();
});

function withPortRules(...owners: readonly (readonly [owner: number, count: number])[]): World {
  const rules = owners.flatMap(([owner, count]) =>
    Array.from({ length: count }, (_, port): [string, OwnedPortRule] => [
      `${owner} ${port}`,
      { rule: { type: 'lockdown', protocol: 'tcp', port }, owner },
    ]),
  );
  return withAllGuests({ ...worldOf([], []), portRules: SharedMap.of(rules) }, []);
}

test.each([
  { name: 'the last one', in: withPortRules([7, MOST_PORT_RULES.perUser - 1]), want: null },
  { name: 'one more', in: withPortRules([7, MOST_PORT_RULES.perUser]), want: 'the most for one user' },
  {
    name: 'root has no more',
    in: withPortRules([0, MOST_PORT_RULES.perUser]),
    asks: 0,
    want: 'for one user',
  },
  { name: 'others have theirs', in: withPortRules([8, MOST_PORT_RULES.perUser]), want: null },
  {
    name: 'all together',
    in: withPortRules(...[1, 2, 3, 4].map((owner) => [owner, MOST_PORT_RULES.perUser] as const)),
    want: 'the most for all users',
  },
])('port rules of one user: $name', ({ in: world, asks = 7, want }) => {
  const fault = portRuleQuotaFault(world, asks);
  expect(fault === null ? null : fault.sentence.includes(want ?? '?')).toBe(want === null ? null : true);
});

const dnsRules = (count: number, owner: number): World['dnsRules'] =>
  SharedMap.of(
    Array.from({ length: count }, (_, i): [string, DnsRule] => [
      `dns:${i}`,
      { type: 'default', family: 'ipv4', ifname: 'a', proxy: '10.0.0.1', owner },
    ]),
  );

test.each([
  { name: 'namespaces and redirections count', dns: 20, asks: 9, want: 'uid 9 has 25 lifelines' },
  { name: 'one is left', dns: 19, asks: 9, want: null },
  { name: 'somebody else', dns: 20, asks: 10, want: null },
  { name: 'root may have more', dns: 20, asks: 0, want: null },
  { name: 'nobody has more than there are', dns: 95, asks: 0, want: 'the manager watches 100 lifelines' },
])('lifelines, of which there are 100: $name', ({ dns, asks, want }) => {
  const empty: World = { ...worldOf([], []), dnsRules: dnsRules(dns, 9), mostLifelines: 100 };
  const world = withAllGuests(empty, [...namespaces(5, 9), vm('termina', 'vmtap0')]);
  const fault = lifelineQuotaFault(world, asks);
  expect(fault?.sentence.slice(0, want?.length) ?? null).toBe(want);
});
