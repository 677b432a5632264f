import { SharedMap } from '@pp/base';
import { plan, type PortRule } from '@pp/datapath';
import { isCountedChanged } from './domain/counted';
import type { Decide } from './domain/decision';
import { deviceChange } from './domain/devices';
import { dnsRuleKey, type DnsRule } from './domain/dns-rules';
import { forwardedPortsChange } from './domain/forwarded-ports';
import { forwardingChange } from './domain/forwarding';
import type { Guest } from './domain/guest';
import { portRuleKey, type OwnedPortRule } from './domain/port-rules';
import { MOST_PORT_RULES } from './domain/quotas';
import { takesAway, withAllGuests, withDnsRule, withPortRule, type World } from './domain/world';
import { DesiredState } from './desired';
import { namespace, uplink, vm, worldOf } from './testing/worlds';
import { connectNamespace } from './usecases/connect-namespace';
import { createPortRule, deletePortRule } from './usecases/modify-port-rule';
import { neighborDetected, neighborLost, type NeighborEvent } from './usecases/neighbor-events';
import { redirectDns } from './usecases/redirect-dns';
import { releaseEnded } from './usecases/release-ended';
import { startVm } from './usecases/start-vm';
import { entriesBetween } from './world-entries';

const CROWD = Array.from({ length: 10 }, (_, i) => ({
  ...namespace(i, { kind: 'default' }),
  subnetIndex: i + 1,
}));
const RULES = Array.from({ length: MOST_PORT_RULES.perUser }, (_, i) => forwarded(i + 1));
const bytes = (n: number): Uint8Array => new Uint8Array(n).fill(7);
const request = {
  client: { pid: 7, inode: 99 },
  outboundDevice: '',
  routeOnVpn: false,
  allowUserTraffic: false,
  source: 'USER',
  owner: 1000,
  passedOver: 0,
  hasDefaultRoute: false,
} as const;

function forwarded(port: number): PortRule {
  const to = { address: '100.64.0.2', port };
  return { type: 'forwarding', protocol: 'tcp', ifname: 'eth0', address: null, port, to };
}

const redirect = (number: number): DnsRule => ({
  type: 'default',
  family: 'ipv4',
  ifname: `vmtap${number}`,
  proxy: '100.64.0.2',
  owner: 1000,
});

/** `last` of its address. */
const neighbor = (last: number, ifname = 'vmtap0'): NeighborEvent => ({
  ifname,
  upstream: 'eth0',
  address: new Uint8Array(16).fill(0x20, 0, 1).fill(last, 15),
});

const rows: readonly { name: string; decide: Decide<unknown> }[] = [
  { name: 'a namespace comes', decide: (world) => connectNamespace(world, request, bytes) },
  {
    name: 'a VM comes',
    decide: (world) =>
      startVm(world, { kind: 'termina', id: '9', subnetIndex: 0, tapOwner: 0, owner: 0 }, bytes),
  },
  { name: 'a VM goes', decide: (world) => releaseEnded(world, ['plugin/5']) },
  { name: 'a neighbour comes', decide: (world) => neighborDetected(world, neighbor(9)) },
  { name: 'a neighbour moves', decide: (world) => neighborDetected(world, neighbor(1, 'vmtap1')) },
  { name: 'a neighbour goes', decide: (world) => neighborLost(world, neighbor(1)) },
  {
    name: 'a port rule comes',
    decide: (world) => createPortRule(world, { rule: forwarded(9999), owner: 1 }),
  },
  { name: 'a port rule goes', decide: (world) => deletePortRule(world, forwarded(9998)) },
  { name: 'a DNS redirection comes', decide: (world) => redirectDns(world, redirect(99)) },
  {
    name: 'a DNS redirection takes the place of another',
    decide: (world) => redirectDns(world, { ...redirect(98), proxy: '100.64.0.3' }),
  },
  { name: 'a DNS redirection goes', decide: (world) => releaseEnded(world, ['dns:10']) },
];

test.each(rows)('nothing that stays is looked at when $name', ({ decide }) => {
  let looks = 0;
  const watched = <T extends object>(thing: T): T =>
    new Proxy(thing, {
      get(target, field): unknown {
        looks++;
        return Reflect.get(target, field);
      },
    });
  const desired = new DesiredState();
  const from = crowded(watched);
  desired.of(from);
  expect(looks).toBeGreaterThan(0);
  looks = 0;
  const decision = decide(from);
  if (!decision.ok) throw new Error(decision.sentence);
  const { world: to } = decision.value;
  const ops = plan(desired.of(from), desired.of(to), to.originals);
  expect([
    ops.length > 0,
    entriesBetween(from, to).put.size + entriesBetween(from, to).del.length > 0,
  ]).toEqual([true, true]);
  const changes = [forwardingChange, forwardedPortsChange, deviceChange, isCountedChanged, takesAway];
  for (const change of changes) change(from, to);
  expect(looks).toBe(0);
});

/** Of a crowd that is watched, and two VMs, a neighbour of one of them and two rules that are not. */
function crowded(watched: <T extends object>(thing: T) => T): World {
  const rules = RULES.map((rule): [string, OwnedPortRule] => [
    portRuleKey(rule),
    watched({ rule, owner: 0 }),
  ]);
  const empty = {
    ...worldOf([uplink('eth0', 'ethernet', 100)], []),
    nextNamespace: CROWD.length,
    portRules: SharedMap.of(rules),
    dnsRules: SharedMap.of(CROWD.map((_, i) => [dnsRuleKey(i), watched(redirect(i))])),
    nextDnsRule: CROWD.length,
  };
  const two = [vm('plugin', 'vmtap0'), { ...vm('plugin', 'vmtap1'), id: '6' }];
  const full = withAllGuests(empty, [...CROWD.map((guest): Guest => watched(guest)), ...two]);
  const met = neighborDetected(full, neighbor(1));
  if (!met.ok) throw new Error(met.sentence);
  const ruled = withPortRule(met.value.world, { rule: forwarded(9998), owner: 0 });
  return withDnsRule(ruled, ruled.nextDnsRule, redirect(98));
}
