import { accept, SharedMap } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import {
  encode,
  ModifyPortRuleRequestOperation as Operation,
  ModifyPortRuleRequestProtocol as Proto,
  ModifyPortRuleRequestRuleType as Type,
  SetDnsRedirectionRuleRequestRuleType as DnsType,
  type Init,
  type Messages,
} from '@pp/proto';
import { portMethods } from './dbus/port-methods';
import { decided } from './domain/decision';
import { dnsRuleKey, dnsRuleNumber } from './domain/dns-rules';
import { MOST_PORT_RULES } from './domain/quotas';
import { withAllGuests } from './domain/world';
import type { Manager } from './manager';
import { FakeHost } from './testing/fake-host';
import { freshDump, killAtEachStep, settled, started } from './testing/story';
import { startVm } from './usecases/start-vm';

/** Port rules and DNS redirections in the manager, on a kernel that is not there. */

type PortRule = Omit<Init<Messages['ModifyPortRuleRequest']>, 'op'>;
type DnsRule = Init<Messages['SetDnsRedirectionRuleRequest']>;

const open = (port: number, inputIfname = ''): PortRule => ({
  type: Type.ACCESS,
  proto: Proto.TCP,
  inputDstPort: port,
  inputIfname,
});
const lock = (port: number): PortRule => ({ ...open(port), type: Type.LOCKDOWN });
const forward = (port: number, dstIp = '100.115.92.26', inputDstIp = ''): PortRule => ({
  ...open(port, 'eth0'),
  type: Type.FORWARDING,
  inputDstIp,
  dstIp,
  dstPort: 8080,
});
const GUEST_DNS: DnsRule = { type: DnsType.DEFAULT, inputIfname: 'vmtap0', proxyAddress: '100.115.92.130' };
const ARC_DNS: DnsRule = { ...GUEST_DNS, type: DnsType.ARC, proxyAddress: '100.115.92.134' };
const USER_DNS: DnsRule = { type: DnsType.USER, proxyAddress: '100.115.92.130', nameservers: ['8.8.8.8'] };

const methods = (host: FakeHost, { reconciler, holdDns }: Manager) =>
  portMethods({ reconciler, holdDns, descriptors: host.descriptors });

async function modify(host: FakeHost, manager: Manager, op: 'CREATE' | 'DELETE', rule: PortRule, uid = 0) {
  const body = encode('ModifyPortRuleRequest', { op: Operation[op], ...rule });
  const call = { caller: accept({ uid, pid: 5 }), body, takeFd: () => null };
  return methods(host, manager).ModifyPortRule(call);
}

async function redirect(host: FakeHost, manager: Manager, rule: DnsRule) {
  const fd = host.descriptors.open();
  const body = encode('SetDnsRedirectionRuleRequest', rule);
  const call = { caller: accept({ uid: 0, pid: 5 }), body, takeFd: () => fd };
  return { fd, answer: await methods(host, manager).SetDnsRedirectionRule(call) };
}

const ruleElements = (host: FakeHost): readonly string[] =>
  host.kernel.elements().filter((element) => /^(open|locked|port|dns)_/.test(element));

const ALL = [lock(80), open(80), open(80, 'vmtap0'), forward(80), forward(80, '100.115.92.30', '192.0.2.1')];
const ALL_ELEMENTS = [
  'locked_ports tcp . 80',
  'open_ports tcp . 80',
  'open_ports_on vmtap0 . tcp . 80',
  'port_forwards eth0 . tcp . 80 : 100.115.92.26 . 8080',
  'port_forwards_at eth0 . 192.0.2.1 . tcp . 80 : 100.115.92.30 . 8080',
];

test('each rule is one element, and gone when it is deleted', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const idle = host.kernel.dump();
  for (const rule of ALL) expect(await modify(host, manager, 'CREATE', rule)).toMatchObject({ ok: true });
  expect(ruleElements(host)).toEqual(ALL_ELEMENTS);
  for (const rule of ALL) expect(await modify(host, manager, 'DELETE', rule)).toMatchObject({ ok: true });
  expect(host.kernel.dump()).toBe(idle);
});

test.each([
  { name: 'twice', given: [open(80)], op: 'CREATE', rule: open(80), want: 'ok' },
  {
    name: 'to another target',
    given: [forward(80)],
    op: 'CREATE',
    rule: forward(80, '10.0.0.9'),
    want: 'AlreadyExists',
  },
  { name: 'what is not there', given: [open(80)], op: 'DELETE', rule: open(81), want: 'NotFound' },
  { name: 'twice deleted', given: [], op: 'DELETE', rule: open(80), want: 'NotFound' },
  {
    name: 'with another target',
    given: [forward(80)],
    op: 'DELETE',
    rule: forward(80, '10.0.0.9'),
    want: 'NotFound',
  },
] as const)('$op $name: $want', async ({ given, op, rule, want }) => {
  const host = new FakeHost();
  const manager = await started(host);
  for (const each of given) await modify(host, manager, 'CREATE', each);
  const before = host.kernel.dump();
  const answer = await modify(host, manager, op, rule);
  expect(!answer.ok ? answer.reason : 'ok').toBe(want);
  expect(host.kernel.dump()).toBe(before);
});

test.each(ALL.map((rule, i) => ({ rule, element: ALL_ELEMENTS[i] })))(
  'a refusal of the kernel undoes the request: $element',
  async ({ rule }) => {
    const host = new FakeHost();
    const manager = await started(host);
    for (const op of ['CREATE', 'DELETE'] as const) {
      const [before, journaled] = [host.kernel.dump(), new Map(host.journal.load().entries)];
      for (let step = 1; ; step++) {
        host.kernel.failAt(step, 'ENOMEM');
        const answer = await modify(host, manager, op, rule);
        if (answer.ok) break;
        expect(answer).toMatchObject({ reason: 'Failed' });
        expect(host.kernel.dump()).toBe(before);
        expect(host.journal.load().entries).toEqual(journaled);
      }
      host.kernel.failAt(1e9, 'ENOMEM');
    }
  },
);

test.each(['keep', 'clean', 'kill'] as const)('port rules are there after a restart: %s', async (how) => {
  const host = new FakeHost();
  const untouched = host.kernel.dump();
  const manager = await started(host);
  for (const rule of ALL) await modify(host, manager, 'CREATE', rule);
  if (how !== 'kill') await manager.stop(how);
  if (how === 'clean') expect(host.kernel.dump()).toBe(untouched);
  else expect(ruleElements(host)).toEqual(ALL_ELEMENTS);
  const again = await started(host);
  expect(ruleElements(host)).toEqual(ALL_ELEMENTS);
  for (const rule of ALL) expect(await modify(host, again, 'DELETE', rule)).toMatchObject({ ok: true });
  await again.stop('clean');
  expect(host.kernel.dump()).toBe(untouched);
  expect(host.journal.load().entries.size).toBe(0);
});

test('one user that takes all port rules it can get leaves some for others', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const many = Array.from({ length: MOST_PORT_RULES.perUser }, (_, i) => i + 1).map(
    (port) =>
      [
        `port:lockdown tcp ${port}`,
        { rule: { type: 'lockdown', protocol: 'tcp', port }, owner: 1000 },
      ] as const,
  );
  await manager.reconciler.submit('fill', (world) =>
    decided(withAllGuests({ ...world, portRules: SharedMap.of(many) }, []), null),
  );
  expect(await modify(host, manager, 'CREATE', open(80), 1000)).toMatchObject({
    reason: 'ResourceExhausted',
  });
  expect(await modify(host, manager, 'CREATE', lock(80), 1000)).toMatchObject({ ok: true }); // it is there
  expect(await modify(host, manager, 'CREATE', open(80), 1001)).toMatchObject({ ok: true });
  await modify(host, manager, 'DELETE', lock(80), 1000);
  expect(await modify(host, manager, 'CREATE', open(81), 1000)).toMatchObject({ ok: true });
});

test('a DNS redirection lives as long as its lifeline, and the newest counts', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const idle = host.kernel.dump();
  const first = await redirect(host, manager, GUEST_DNS);
  expect(ruleElements(host)).toEqual(['dns_redirect4 vmtap0 : 100.115.92.130']);
  const second = await redirect(host, manager, ARC_DNS);
  expect(ruleElements(host)).toEqual(['dns_redirect4 vmtap0 : 100.115.92.134']);
  host.descriptors.signal(second.fd);
  await settled(manager);
  expect(ruleElements(host)).toEqual(['dns_redirect4 vmtap0 : 100.115.92.130']);
  const user = await redirect(host, manager, USER_DNS);
  expect(host.kernel.dump()).toContain('meta skuid 1000 dnat ip to numgen inc mod 1 map { 0 : 8.8.8.8 }');
  for (const { fd } of [first, user]) host.descriptors.signal(fd);
  await settled(manager);
  expect(host.kernel.dump()).toBe(idle);
  expect(host.descriptors.openCount()).toBe(0);
});

test('a DNS redirection after a restart takes the place of none that goes on', async () => {
  const host = new FakeHost();
  await redirect(host, await started(host), USER_DNS);
  const manager = await started(host);
  await redirect(host, manager, GUEST_DNS);
  expect([...manager.world.dnsRules.keys()]).toEqual([dnsRuleKey(0), dnsRuleKey(1)]);
});

test('a DNS redirection without a lifeline, or with a dead one, is refused', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const body = encode('SetDnsRedirectionRuleRequest', GUEST_DNS);
  const dead = host.descriptors.open();
  host.descriptors.signal(dead);
  for (const fd of [null, dead]) {
    const call = { caller: accept({ uid: 0, pid: 5 }), body, takeFd: () => fd };
    expect(await methods(host, manager).SetDnsRedirectionRule(call)).toMatchObject({
      reason: 'InvalidArgument',
    });
  }
  expect(manager.world.dnsRules.size).toBe(0);
  expect(host.descriptors.openCount()).toBe(0);
});

test.each([GUEST_DNS, ARC_DNS, USER_DNS])(
  'a refusal of the kernel undoes a DNS redirection of type $type',
  async (rule) => {
    for (let step = 1; ; step++) {
      const host = new FakeHost();
      const manager = await started(host);
      const idle = host.kernel.dump();
      host.kernel.failAt(step, 'ENOMEM');
      const { answer } = await redirect(host, manager, rule);
      if (answer.ok) break;
      expect(host.kernel.dump()).toBe(idle);
      expect(host.descriptors.openCount()).toBe(0);
      expect(manager.world.dnsRules.size).toBe(0);
    }
  },
);

/** Each call of `act` may be the one in which the manager is killed. */
async function story(host: FakeHost): Promise<void> {
  const manager = await started(host);
  for (const rule of ALL) await modify(host, manager, 'CREATE', rule);
  const first = await redirect(host, manager, GUEST_DNS);
  await redirect(host, manager, USER_DNS);
  await modify(host, manager, 'DELETE', lock(80));
  host.descriptors.signal(first.fd);
  await settled(manager);
  await modify(host, manager, 'DELETE', forward(80));
  await manager.stop('clean');
}

describe.each(['before', 'after'] as const)('killed right %s any journal write or kernel step', (when) => {
  test.each([
    { name: 'without an FD store', keeps: false },
    { name: 'with an FD store', keeps: true },
  ])('$name, the next start makes the host what the journal says', async ({ keeps }) => {
    const look = (manager: Manager, host: FakeHost): void => {
      expect(manager.world.dnsRules.size).toBe(host.store.size);
      for (const key of manager.world.dnsRules.keys())
        expect(dnsRuleNumber(key)).toBeLessThan(manager.world.nextDnsRule);
    };
    const kills = await killAtEachStep({ story, when, keeps, look });
    expect(kills).toBeGreaterThan(25);
  });
});

test('a random walk over rules, refusals and restarts always ends where a fresh kernel would be', async () => {
  const seed = Number(process.env['SEED'] ?? 20261122);
  const random = new SeededRandom(seed);
  const host = new FakeHost();
  let manager = await started(host);
  let fds: number[] = [];
  for (let step = 0; step < 300; step++) {
    if (random.below(6) === 0) host.kernel.failAt(1 + random.below(3), 'EBUSY');
    const port = 1 + random.below(3);
    const rule = random.pick([
      open(port),
      open(port, 'eth0'),
      lock(port),
      forward(port),
      forward(port, '10.0.0.9'),
    ]);
    const dice = random.below(10);
    if (dice < 6) {
      await modify(host, manager, random.below(3) === 0 ? 'DELETE' : 'CREATE', rule);
    } else if (dice < 8) {
      const { fd, answer } = await redirect(host, manager, random.pick([GUEST_DNS, ARC_DNS, USER_DNS]));
      if (answer.ok) fds.push(fd);
    } else if (dice < 9 && fds.length > 0) {
      host.kernel.failAt(1e9, 'EBUSY');
      const [fd] = fds.splice(random.below(fds.length), 1);
      if (fd !== undefined) host.descriptors.signal(fd);
      await settled(manager);
    } else {
      host.kernel.failAt(1e9, 'EBUSY');
      const portRules = new Set(manager.world.portRules.keys());
      if (random.below(2) === 0) await manager.stop(random.pick(['clean', 'keep']));
      host.store.clear();
      manager = await started(host);
      expect(new Set(manager.world.portRules.keys())).toEqual(portRules);
      fds = [];
    }
    expect({ seed, step, dump: host.kernel.dump() }).toEqual({ seed, step, dump: await freshDump(manager) });
  }
});

test('after a clean stop on a full disk rules come back, and no guest does', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  await modify(host, manager, 'CREATE', lock(80));
  const vm = { kind: 'termina', id: '33', subnetIndex: 0, tapOwner: 0, owner: 0 } as const;
  await manager.reconciler.submit('vm.start', (world) => startVm(world, vm, host.randomBytes));
  host.isDiskFull = true;
  await manager.stop('clean');
  const next = await started(host);
  expect([...next.world.portRules.keys()]).toEqual(['port:lockdown tcp 80']);
  expect(next.world.guests.size).toBe(0);
  expect(host.kernel.dump()).toBe(await freshDump(next));
  await next.stop('clean');
});
