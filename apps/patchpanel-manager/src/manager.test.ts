import { accept, KernelError } from '@pp/base';
import { SeededRandom } from '@pp/base/testing';
import type { Op } from '@pp/datapath';
import { encode, type Init, type Messages } from '@pp/proto';
import { guestMethods } from './dbus/guest-methods';
import type { Manager } from './manager';
import { FakeHost } from './testing/fake-host';
import { freshDump, isKilled, killAtEachStep, settled, started } from './testing/story';

type Request = Init<Messages['ConnectNamespaceRequest']>;

/** Connects as a client does; the fd is the manager's end of the lifeline. */
async function connect(host: FakeHost, manager: Manager, request: Request = {}, uid = 0) {
  const fd = host.descriptors.open();
  const body = encode('ConnectNamespaceRequest', { pid: -1, ...request });
  const answer = await host.connectMethod(manager)({
    caller: accept({ uid, pid: 5 }),
    body,
    takeFd: () => fd,
  });
  return { fd, answer };
}

async function release(host: FakeHost, manager: Manager, fd: number): Promise<void> {
  host.descriptors.signal(fd);
  await settled(manager);
}

test('start, connect, release and stop leave nothing behind', async () => {
  const host = new FakeHost();
  const before = host.kernel.dump();
  const manager = await started(host);
  const idle = host.kernel.dump();
  const { fd, answer } = await connect(host, manager, {
    outboundPhysicalDevice: 'eth1',
    allowUserTraffic: true,
  });
  expect(answer.ok).toBe(true);
  expect(host.kernel.elements()).toEqual(
    expect.arrayContaining(['guest_egress arc_ns0 : jump egress_to_eth1', 'user_namespaces arc_ns0']),
  );
  await release(host, manager, fd);
  expect(host.kernel.dump()).toBe(idle);
  await manager.stop('clean');
  expect(host.kernel.dump()).toBe(before);
  expect(host.descriptors.openCount()).toBe(0);
  expect(host.journal.load().entries.size).toBe(0);
});

test('a client has its answer before the journal is told that the kernel followed', async () => {
  const host = new FakeHost();
  const tasks: (() => void)[] = [];
  const manager = host.manager({ later: (task) => tasks.push(task) });
  await manager.start();
  const { answer } = await connect(host, manager);
  expect([answer.ok, host.journal.load().before === null]).toEqual([true, false]);
  for (const task of tasks) task();
  expect(host.journal.load().before).toBeNull();
});

test('a kernel without IPv6 is asked for nothing of it, and is left as it was', async () => {
  const host = new FakeHost();
  const before = host.kernel.dump();
  const manager = host.manager({ withoutIpv6: true });
  await manager.start();
  const { fd, answer } = await connect(host, manager);
  expect(answer.ok).toBe(true);
  expect(host.kernel.dump()).toMatch(/^rule ipv4 1000: /m);
  expect(host.kernel.dump()).not.toMatch(/^(route .*::|rule ipv6|sysctl net\.ipv6\.conf\.arc_ns)/m);
  await release(host, manager, fd);
  await manager.stop('clean');
  expect(host.kernel.dump()).toBe(before);
});

/** The kernel refuses the next step of each of these kinds, as one short of memory. */
function refuseNext(host: FakeHost, ...kinds: readonly Op['do'][]): void {
  const apply = host.kernel.apply.bind(host.kernel);
  const left = new Set<string>(kinds);
  jest.spyOn(host.kernel, 'apply').mockImplementation((ops) => {
    const [op] = ops;
    if (op === undefined || !left.delete(op.do)) return apply(ops);
    return Promise.resolve([new KernelError('ENOMEM', op.do)]);
  });
}

test.each([
  { name: 'an uplink that comes', kind: 'nft.load' },
  { name: 'an uplink that comes', kind: 'rule.add' },
] as const)('$name goes on where $kind is refused, and is put right later', async ({ kind }) => {
  const [host, onRefused] = [new FakeHost(['eth0']), jest.fn()];
  const manager = host.manager({ onRefused });
  await manager.start();
  refuseNext(host, kind);
  host.tell(['eth0', 'eth1']);
  await settled(manager);
  expect(onRefused).toHaveBeenCalledTimes(1);
  await manager.reconciler.mend(() => 'all');
  const other = new FakeHost(['eth0', 'eth1']);
  await started(other);
  expect(host.kernel.dump()).toBe(other.kernel.dump());
});

test('what could not be taken back of a connect that was refused goes later', async () => {
  const [host, onRefused] = [new FakeHost(), jest.fn()];
  const manager = host.manager({ onRefused });
  await manager.start();
  const idle = host.kernel.dump();
  refuseNext(host, 'nft.elements', 'link.del');
  const { answer } = await connect(host, manager, { pid: 4711 });
  expect([answer.ok, onRefused.mock.calls.length, host.kernel.dump() === idle]).toEqual([false, 1, false]);
  await manager.reconciler.mend(() => 'all');
  expect(host.kernel.dump()).toBe(idle);
  jest.restoreAllMocks();
  refuseNext(host, 'nft.elements');
  await connect(host, manager, { pid: 4711 });
  expect([onRefused.mock.calls.length, host.kernel.dump()]).toEqual([1, idle]); // all was taken back at once
});

test('a guest whose lifeline cannot be watched goes at once', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const idle = host.kernel.dump();
  jest.spyOn(host.descriptors, 'watch').mockImplementationOnce(() => {
    throw new Error('EMFILE');
  });
  await expect(connect(host, manager)).rejects.toThrow('EMFILE');
  await settled(manager);
  expect([manager.world.guests.size, host.kernel.dump()]).toEqual([0, idle]);
  expect([host.descriptors.openCount(), host.store.size]).toEqual([0, 0]);
  await manager.stop('clean');
});

test('ends of lifelines that come together are one change of the kernel', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const idle = host.kernel.dump();
  const fds = [];
  for (let n = 0; n < 5; n++) fds.push((await connect(host, manager)).fd);
  for (const fd of fds) host.descriptors.signal(fd);
  await settled(manager);
  expect(host.kernel.dump()).toBe(idle);
  expect(host.log.lines.filter((line) => line.includes('what=guests.release'))).toHaveLength(1);
  expect(host.descriptors.openCount()).toBe(0);
});

test.each([
  { name: 'another user', uid: 1001, want: 'PermissionDenied' },
  { name: 'the owner of the process', uid: 1000, want: 'accepted' },
  { name: 'root', uid: 0, want: 'accepted' },
])('a process of uid 1000, named by $name: $want', async ({ uid, want }) => {
  const host = new FakeHost();
  const manager = await started(host);
  const { answer } = await connect(host, manager, { pid: 4711 }, uid);
  expect(answer.ok ? 'accepted' : answer.reason).toBe(want);
});

test('of Androids that are started at the same time the last one runs', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const { processNetns, randomBytes } = host;
  const parts = {
    processNetns,
    randomBytes,
    reconciler: manager.reconciler,
    ownPid: 99,
    tapOwner: null,
    defer: queueMicrotask,
  };
  const { ArcVmStartup } = guestMethods(parts);
  const start = (cid: number) => {
    const body = encode('ArcVmStartupRequest', { cid });
    return ArcVmStartup({ caller: accept({ uid: 0, pid: 5 }), body, takeFd: () => null });
  };
  expect(await Promise.all([1, 2, 3].map(start))).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
  expect(manager.world.guests.get('arc/0')).toMatchObject({ id: 3 });
  expect(host.kernel.dump()).toBe(await freshDump(manager));
  const late = start(4);
  await manager.stop('clean');
  expect(await late).toMatchObject({ ok: false, reason: 'Failed' });
});

test('an ARC container that is still the same process outlives a restart', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const { reconciler } = manager;
  const parts = {
    reconciler,
    processNetns: host.processNetns,
    randomBytes: host.randomBytes,
    ownPid: 99,
    tapOwner: null,
    defer: queueMicrotask,
  };
  const body = encode('ArcStartupRequest', { pid: 4711 });
  const answer = await guestMethods(parts).ArcStartup({
    caller: accept({ uid: 0, pid: 5 }),
    body,
    takeFd: () => null,
  });
  expect(answer).toMatchObject({ ok: true });
  const running = host.kernel.dump();
  const again = await started(host);
  expect([...again.world.guests.keys()]).toEqual(['arc/0']);
  expect(host.kernel.dump()).toBe(running);
});

test('a namespace whose uplink goes is cut off, and works again when it is back', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  await connect(host, manager, { outboundPhysicalDevice: 'eth1' });
  const connected = host.kernel.dump();
  host.tell(['eth0']);
  await settled(manager);
  expect(host.kernel.elements()).toContain('guest_egress arc_ns0 : jump egress_nowhere');
  host.tell(['eth0', 'eth1']);
  await settled(manager);
  expect(host.kernel.dump()).toBe(connected);
});

test('uplinks that change faster than guests can follow: only the newest view is followed', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  await connect(host, manager, { outboundPhysicalDevice: 'eth1' });
  const connected = host.kernel.dump();
  for (let flap = 0; flap < 50; flap++)
    for (const uplinks of [['eth0'], ['eth0', 'eth1']]) host.tell(uplinks);
  await settled(manager);
  expect(host.kernel.dump()).toBe(connected);
  host.tell(['eth0']); // what comes when nothing waits is followed by itself
  await settled(manager);
  const changes = host.log.lines.filter((line) => line.includes('what=uplinks.change'));
  expect(changes).toHaveLength(1);
  expect(host.kernel.elements()).toContain('guest_egress arc_ns0 : jump egress_nowhere');
});

test('a refusal of the kernel at any step undoes the whole request', async () => {
  for (let step = 1; ; step++) {
    const host = new FakeHost();
    const manager = await started(host);
    const idle = host.kernel.dump();
    host.kernel.failAt(step, 'ENOMEM');
    const { answer } = await connect(host, manager);
    if (answer.ok) break; // beyond the last step
    expect(answer).toMatchObject({
      reason: 'Failed',
      sentence: expect.stringMatching(/ENOMEM.*nothing was changed/) as string,
    });
    expect(host.kernel.dump()).toBe(idle);
    expect(host.descriptors.openCount()).toBe(0);
    expect(manager.world.guests.size).toBe(0);
    expect((await connect(host, manager)).answer.ok).toBe(true);
  }
});

const isOfEth1 = (op: Op): boolean => op.do === 'sysctl.set' && op.sysctl.key.includes('.eth1.');

test.each([
  { name: 'a route', isRefused: (op: Op) => op.do === 'route.add', code: 'EEXIST', want: 'started' },
  { name: 'the table', isRefused: (op: Op) => op.do === 'nft.load', code: 'EEXIST', want: 'refused' },
  { name: 'a sysctl', isRefused: (op: Op) => op.do === 'sysctl.set', code: 'ENOENT', want: 'refused' },
  { name: 'a sysctl of a link', isRefused: isOfEth1, code: 'EACCES', want: 'refused' },
  { name: 'a sysctl of a link that has gone', isRefused: isOfEth1, code: 'ENOENT', want: 'started' },
] as const)('a start that $name is refused to: $want', async ({ isRefused, code, want }) => {
  const host = new FakeHost();
  const { kernel } = host;
  const apply = kernel.apply.bind(kernel);
  kernel.apply = async (ops) => {
    const outcomes = [...(await apply(ops.filter((op) => !isRefused(op))))];
    return ops.map((op) => (isRefused(op) ? new KernelError(code, op.do) : (outcomes.shift() ?? 'skipped')));
  };
  const outcome = host
    .manager()
    .start()
    .then(
      () => 'started',
      () => 'refused',
    );
  expect(await outcome).toBe(want);
});

test.each([1, 2, 3, 5, 8, 13])('a start whose step %i is refused once takes a second look', async (step) => {
  const host = new FakeHost();
  host.kernel.failAt(step, 'ENODEV');
  const manager = host.manager();
  await manager.start();
  expect(host.kernel.dump()).toBe(await freshDump(manager));
});

test('on a full disk nobody comes, who goes goes, and the journal catches up', async () => {
  const host = new FakeHost();
  const manager = await started(host);
  const stays = await connect(host, manager);
  const goes = await connect(host, manager);
  const before = host.kernel.dump();
  host.isDiskFull = true;
  const { answer } = await connect(host, manager);
  expect(answer).toEqual({
    ok: false,
    reason: 'Failed',
    sentence: 'the disk is full; nothing was changed',
  });
  expect(host.kernel.dump()).toBe(before);
  expect(host.descriptors.openCount()).toBe(2);
  await release(host, manager, goes.fd);
  expect([...manager.world.guests.keys()]).toEqual(['namespace/0']);
  expect(host.kernel.dump()).toBe(await freshDump(manager));
  host.isDiskFull = false;
  expect((await connect(host, manager)).answer.ok).toBe(true);
  const remembered = [...host.journal.load().entries.keys()].filter((key) => key.includes('/'));
  expect(remembered).toEqual([...manager.world.guests.keys()]);
  await release(host, manager, stays.fd);
  await manager.stop('clean');
});

/** A story that passes through every use case; each call of `act` may be the one in which the manager is killed. */
async function story(host: FakeHost): Promise<void> {
  const manager = await started(host);
  const first = await connect(host, manager, { pid: 4711, outboundPhysicalDevice: 'eth1' });
  await connect(host, manager, { routeOnVpn: true });
  host.tell(['eth0']);
  await settled(manager);
  await release(host, manager, first.fd);
  host.tell(['eth0', 'eth1']);
  await settled(manager);
  await manager.stop('clean');
}

describe.each(['before', 'after'] as const)('killed right %s any journal write or kernel step', (when) => {
  test.each([
    { name: 'without an FD store', keeps: false },
    { name: 'with an FD store', keeps: true },
  ])('$name, the next start makes the host what the journal says', async ({ keeps }) => {
    const look = (manager: Manager, host: FakeHost): void => {
      if (!keeps) expect(manager.world.guests.size).toBe(0);
      expect(manager.world.guests.size).toBe(host.store.size);
      for (const guest of manager.world.guests.values())
        expect(guest.kind === 'namespace' && guest.number < manager.world.nextNamespace).toBe(true);
    };
    const kills = await killAtEachStep({ story, when, keeps, look });
    expect(kills).toBeGreaterThan(50);
  });

  test.each([
    { name: 'the start that repairs is', starts: 1 },
    { name: 'the start that repairs is, and the next one', starts: 2 },
  ])('also when $name killed', async ({ starts }) => {
    for (const first of [20, 30, 40, 50]) {
      for (let second = 1; ; second++) {
        const host = new FakeHost();
        const untouched = host.kernel.dump();
        host.killAt(first, when);
        expect(await isKilled(story(host))).toBe(true);
        host.store.clear();
        let killed = true;
        for (let n = 0; n < starts; n++) {
          host.killAt(second, when);
          killed = await isKilled(started(host));
        }
        host.spare();
        const manager = await started(host);
        expect([first, second, host.kernel.dump()]).toEqual([first, second, await freshDump(manager)]);
        await manager.stop('clean');
        expect([first, second, host.kernel.dump()]).toEqual([first, second, untouched]);
        if (!killed) break;
      }
    }
  });
});

test('a random walk over clients, uplinks, refusals and kills always ends where a fresh kernel would be', async () => {
  const seed = Number(process.env['SEED'] ?? 20261121);
  const random = new SeededRandom(seed);
  const host = new FakeHost();
  const untouched = host.kernel.dump();
  let manager = await started(host);
  let fds: number[] = [];
  for (let step = 0; step < 300; step++) {
    const dice = random.below(10);
    if (dice < 4) {
      const outbound = random.pick(['', '', 'eth0', 'eth1']);
      if (random.below(5) === 0) host.kernel.failAt(1 + random.below(12), 'EBUSY');
      const { fd, answer } = await connect(host, manager, { outboundPhysicalDevice: outbound });
      host.kernel.failAt(1e9, 'EBUSY');
      if (answer.ok) fds.push(fd);
    } else if (dice < 7 && fds.length > 0) {
      const [fd] = fds.splice(random.below(fds.length), 1);
      if (fd !== undefined) await release(host, manager, fd);
    } else if (dice < 9) {
      host.tell(random.pick([['eth0'], ['eth1'], ['eth0', 'eth1'], []]));
      await settled(manager);
    } else {
      if (random.below(2) === 0) host.store.clear(); // no service manager kept them
      manager = await started(host);
      fds = [...host.store.values()];
    }
    expect({ seed, step, dump: host.kernel.dump() }).toEqual({ seed, step, dump: await freshDump(manager) });
  }
  await manager.stop('clean');
  expect(host.kernel.dump()).toBe(untouched);
});
