import { seconds } from '@pp/base';
import { MemoryLog, SeededRandom, VirtualClock } from '@pp/base/testing';
import { forwardingClient } from './client';
import { FakeManagerBus, pair, settled } from './testing/fake-manager-bus';
import type { Forwarding, ForwardingDelta } from './view';

const words = (pairs: Forwarding['pairs']): string =>
  pairs.map(({ upstream, downstream }) => `${upstream}-${downstream}`).join(' ');

/** Lines of `told`: all pairs now, what went, what came. */
async function setting(manager = new FakeManagerBus()) {
  const [clock, log, told] = [new VirtualClock(), new MemoryLog(), [] as string[]];
  const onChange = ({ pairs, arc }: Forwarding, { removed, added }: ForwardingDelta): void => {
    const android = arc === null ? '' : ` ${JSON.stringify(arc)}`;
    told.push(`[${words(pairs)}] -[${words(removed)}] +[${words(added)}]${android}`);
  };
  const client = await forwardingClient({ bus: manager, clock, log, onChange });
  return { manager, clock, log, told, client };
}

async function following() {
  const manager = new FakeManagerBus();
  manager.start();
  manager.pairs = [pair('eth0', 'vmtap0')];
  const all = await setting(manager);
  await manager.answer();
  all.told.splice(0);
  return all;
}

test('it waits for a manager, asks it, and follows its changes', async () => {
  const { manager, told, client } = await setting();
  expect([manager.questions, client.forwarding, client.isCurrent]).toEqual([0, undefined, false]);
  manager.start();
  await manager.answer();
  expect(told.splice(0)).toEqual(['[] -[] +[]']);
  manager.change([], [pair('eth0', 'vmtap0'), pair('eth0', 'vmtap1')]);
  manager.change([pair('eth0', 'vmtap0')], []);
  expect(told).toEqual([
    '[eth0-vmtap0 eth0-vmtap1] -[] +[eth0-vmtap0 eth0-vmtap1]',
    '[eth0-vmtap1] -[eth0-vmtap0] +[]',
  ]);
  expect([manager.questions, client.isCurrent]).toEqual([1, true]);
});

test('changes that come before the answer are not lost, and not taken twice', async () => {
  const manager = new FakeManagerBus();
  manager.start();
  const { told, client } = await setting(manager);
  manager.change([], [pair('eth0', 'vmtap0')]);
  manager.change([], [pair('eth0', 'vmtap1')]);
  expect(told).toEqual([]);
  await manager.answer(); // as of the time of the question
  expect(words(client.forwarding?.pairs ?? [])).toBe('eth0-vmtap0 eth0-vmtap1');
  expect(manager.questions).toBe(1);
});

test('more changes before the answer than are kept are another question', async () => {
  const manager = new FakeManagerBus();
  manager.start();
  const { client } = await setting(manager);
  for (let nth = 0; nth < 1024; nth++) manager.change([], [pair('eth0', `vmtap${nth}`)]);
  expect(manager.questions).toBe(1);
  manager.change([], [pair('eth0', 'vmtap1024')]);
  expect(manager.questions).toBe(2);
  await manager.answer();
  expect([client.isCurrent, client.forwarding?.pairs.length]).toEqual([true, 1025]);
});

test('after a lost change it asks anew, and tells what was missed', async () => {
  const { manager, told } = await following();
  manager.change([pair('eth0', 'vmtap0')], [], 'lost');
  manager.change([], [pair('eth0', 'vmtap7')]);
  expect(told).toEqual([]);
  await manager.answer();
  expect([told, manager.questions]).toEqual([['[eth0-vmtap7] -[eth0-vmtap0] +[eth0-vmtap7]'], 2]);
});

test('without a manager its last word holds; the next one is asked, and only a difference is told', async () => {
  const { manager, told, client } = await following();
  manager.kill();
  expect([client.isCurrent, words(client.forwarding?.pairs ?? [])]).toEqual([false, 'eth0-vmtap0']);
  manager.start();
  await manager.answer();
  expect([told, client.isCurrent]).toEqual([[], true]);
  manager.kill();
  manager.pairs = [];
  manager.start();
  await manager.answer();
  expect(told).toEqual(['[] -[eth0-vmtap0] +[]']);
});

test('Android alone is a change, too', async () => {
  const { manager, told } = await following();
  manager.arc = { cid: 7 };
  manager.change([], []);
  manager.kill();
  manager.arc = { pid: 4711 };
  manager.start();
  await manager.answer();
  expect(told).toEqual([
    '[eth0-vmtap0] -[] +[] {"kind":"vm","cid":7}',
    '[eth0-vmtap0] -[] +[] {"kind":"container","pid":4711}',
  ]);
});

test('a question that fails is asked again, later and later', async () => {
  const { manager, clock, log, told } = await setting();
  manager.questionError = 'org.freedesktop.DBus.Error.AccessDenied';
  manager.start();
  await manager.answer();
  for (const delay of [0.2, 0.4, 0.8]) {
    expect(clock.pending()).toEqual(['forwarding.ask']);
    clock.advance(seconds(delay));
    await manager.answer();
  }
  expect([manager.questions, log.lines.length]).toEqual([4, 4]);
  manager.questionError = undefined;
  clock.advance(seconds(1.6));
  await manager.answer();
  expect(told).toEqual(['[] -[] +[]']);
});

test('a malformed signal is logged and changes nothing', async () => {
  const { manager, log, told, client } = await following();
  manager.signal(Uint8Array.of(0xff));
  expect([told, client.isCurrent, log.lines]).toEqual([
    [],
    true,
    [expect.stringMatching(/^warn forwarding.malformed reason=the body is not a ForwardingChange/)],
  ]);
});

test('closed, it neither asks nor tells', async () => {
  const { manager, told, client, clock } = await following();
  client.close();
  manager.change([], [pair('eth0', 'vmtap1')]);
  manager.kill();
  manager.start();
  client.neighborDetected(neighbor(1));
  await manager.answer();
  expect([told, manager.questions, manager.reports, clock.pending()]).toEqual([[], 1, [], []]);
});

test('its view is the manager’s after any walk of changes, losses, restarts and late answers', async () => {
  const seed = Number(process.env['SEED'] ?? 20261122);
  const random = new SeededRandom(seed);
  const { manager, client, clock } = await following();
  for (let step = 0; step < 500; step++) {
    const dice = random.below(10);
    const [some] = manager.pairs;
    const told = random.below(8) === 0 ? 'lost' : 'told';
    if (dice < 4) manager.change([], [pair(random.pick(['eth0', 'wlan0']), `vmtap${step}`)], told);
    else if (dice < 7 && some !== undefined) manager.change([some], [], told);
    else if (dice === 7) await manager.answer();
    else if (dice === 8) clock.advance(seconds(1));
    else {
      manager.kill();
      if (random.below(2) === 0) manager.pairs = manager.pairs.slice(1);
      manager.start();
    }
    if (random.below(5) > 0) continue;
    manager.change([], []); // shows what was lost
    for (let tries = 0; tries < 3; tries++) await manager.answer(); // an answer that is too old is asked for again
    expect({ seed, step, view: words(client.forwarding?.pairs ?? []) }).toEqual({
      seed,
      step,
      view: words(manager.pairs),
    });
  }
});

const neighbor = (last: number, ifname = 'vmtap0', subnet = 0) => ({
  upstream: 'eth0',
  ifname,
  address: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, subnet >> 8, subnet, 0, 0, 0, 0, 0, 0, 0, last),
});

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a neighbour found %d turns after the manager appeared is told, too',
  async (turns) => {
    const manager = new FakeManagerBus();
    const { client } = await setting(manager);
    manager.start();
    const answered = manager.answer();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    client.neighborDetected(neighbor(1));
    await answered;
    await settled();
    expect(manager.reports).toEqual(['+eth0 vmtap0 1']);
  },
);

test('neighbours are told once, and again to every new manager', async () => {
  const { manager, client } = await following();
  client.neighborDetected(neighbor(1));
  client.neighborDetected(neighbor(1));
  client.neighborDetected(neighbor(2));
  client.neighborLost(neighbor(2));
  await settled();
  expect(manager.reports.splice(0)).toEqual(['+eth0 vmtap0 1', '-eth0 vmtap0 2']);
  manager.kill();
  client.neighborDetected(neighbor(3));
  client.neighborLost(neighbor(4));
  manager.start();
  await manager.answer();
  expect(manager.reports.splice(0)).toEqual(['+eth0 vmtap0 1', '+eth0 vmtap0 3', '-eth0 vmtap0 4']);
  manager.kill();
  manager.start();
  await manager.answer();
  expect(manager.reports).toEqual(['+eth0 vmtap0 1', '+eth0 vmtap0 3']);
});

test('neighbours of a pair that goes are forgotten', async () => {
  const { manager, client } = await following();
  manager.change([], [pair('eth0', 'vmtap1'), pair('wlan0', 'vmtap0', false)]);
  client.neighborDetected(neighbor(1));
  client.neighborDetected(neighbor(2, 'vmtap1'));
  await settled();
  manager.change([pair('eth0', 'vmtap0')], []);
  manager.kill();
  manager.reports.splice(0);
  manager.start();
  await manager.answer();
  expect(manager.reports).toEqual(['+eth0 vmtap1 2']);
});

test('a neighbour that the manager refuses is forgotten; one that it did not hear is told again', async () => {
  const { manager, client, clock } = await following();
  manager.reportError = 'org.chromium.PatchPanel.Error.NotFound';
  client.neighborDetected(neighbor(1));
  await settled();
  manager.reportError = 'org.freedesktop.DBus.Error.NoReply';
  client.neighborDetected(neighbor(2));
  client.neighborDetected(neighbor(3));
  await settled();
  expect(manager.reports.splice(0)).toEqual(['+eth0 vmtap0 1', '+eth0 vmtap0 2']);
  manager.reportError = undefined;
  clock.advance(seconds(0.2));
  await settled();
  expect(manager.reports.sort()).toEqual(['+eth0 vmtap0 2', '+eth0 vmtap0 3']);
});

test('a guest that makes addresses up is told of at its pace; others are not held up, and the manager hears the last word', async () => {
  const { manager, client, clock } = await following();
  manager.change([], [pair('eth0', 'vmtap1')]);
  for (let last = 1; last <= 200; last++) client.neighborDetected(neighbor(last));
  client.neighborDetected(neighbor(1, 'vmtap1'));
  await settled();
  expect(manager.reports).toHaveLength(64 + 1);
  expect(manager.reports).toContain('+eth0 vmtap1 1');
  expect(clock.pending()).toEqual(['forwarding.report']);
  manager.reports.splice(0);
  client.neighborLost(neighbor(200));
  for (let second = 0; second < 4; second++) clock.advance(seconds(0.2));
  await settled();
  expect(manager.reports).toEqual([
    '+eth0 vmtap0 65',
    '+eth0 vmtap0 66',
    '+eth0 vmtap0 67',
    '+eth0 vmtap0 68',
  ]);
  for (let step = 0; step < 200; step++) {
    clock.advance(seconds(0.2));
    await settled();
  }
  expect(manager.reports.slice(4, 6)).toEqual(['+eth0 vmtap0 69', '+eth0 vmtap0 70']);
  expect(manager.reports).toHaveLength(200 - 64);
  expect(manager.reports.at(-1)).toBe('-eth0 vmtap0 200');
});

test('however many addresses a guest makes up, the next manager is told of the others', async () => {
  const { manager, client, clock } = await following();
  manager.change([], [pair('eth0', 'vmtap1')]);
  client.neighborDetected(neighbor(1, 'vmtap1'));
  for (let nth = 0; nth < 20_000; nth++) client.neighborDetected(neighbor(nth & 255, 'vmtap0', nth >> 8));
  await settled();
  manager.kill();
  clock.advance(seconds(60));
  manager.reports.splice(0);
  manager.start();
  await manager.answer();
  expect(manager.reports).toHaveLength(64 + 1);
  expect(manager.reports).toContain('+eth0 vmtap1 1');
});
