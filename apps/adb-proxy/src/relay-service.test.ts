import { seconds } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { FakeStreamRelay, type FakeEnd } from '@pp/ports/testing';
import type { Target } from './endpoint';
import { gateName, type GateSpec } from './gate';
import { RelayService } from './relay-service';
import { checkedSources } from './sources';
import { statusOf } from './status';

const SOCKET: Target = { via: 'unix', path: '/run/arc/adb/adb.sock' };
const VSOCK: Target = { via: 'vsock', cid: 5, port: 5555 };
const TCP: Target = { via: 'tcp', address: '100.115.92.2', port: 5555 };
const LOCAL: GateSpec = { place: { address: '127.0.0.1', port: 5555 }, from: null, autoOff: null };
const HERE = '127.0.0.1:5555';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** A service with one gate, and whose far ends are kept. */
function rig(
  targets: readonly Target[] = [SOCKET],
  gates: readonly GateSpec[] = [LOCAL],
  limits = { total: 4, perSource: 2 },
) {
  const [relay, clock, log, ends]: [FakeStreamRelay, VirtualClock, MemoryLog, FakeEnd[]] = [
    new FakeStreamRelay(),
    new VirtualClock(),
    new MemoryLog(),
    [],
  ];
  const service = new RelayService({ relay, clock, log, limits });
  const accepts = { accepts: (end: FakeEnd) => void ends.push(end) };
  service.set({ gates, targets });
  return { relay, clock, log, ends, service, accepts };
}

describe('targets', () => {
  test('the first that answers is taken, and the bytes are counted', async () => {
    const { relay, ends, service, accepts } = rig([SOCKET, VSOCK, TCP]);
    relay.targets.set('vsock:5:5555', accepts);
    const near = relay.dial(HERE);
    near.say('CNXN');
    await settled();
    expect(relay.tried).toEqual(['unix:/run/arc/adb/adb.sock', 'vsock:5:5555']);
    expect(ends[0]?.received).toBe('CNXN');
    ends[0]?.say('OKAY!');
    expect(service.bytes).toEqual({ fromClient: 4, fromTarget: 5 });
    near.end();
    ends[0]?.end();
    expect(service.bytes).toEqual({ fromClient: 4, fromTarget: 5 });
    expect([service.admission.open, service.broken]).toEqual([0, 0]);
  });

  test('one that does not answer is passed over after 5 s', async () => {
    const { relay, clock, ends, accepts } = rig([VSOCK, TCP]);
    relay.targets.set('vsock:5:5555', 'silent').set('tcp:100.115.92.2:5555', accepts);
    relay.dial(HERE);
    clock.advance(seconds(4.9));
    await settled();
    expect(ends).toEqual([]);
    clock.advance(seconds(0.1));
    await settled();
    expect(ends).toHaveLength(1);
    expect(clock.pending()).toEqual([]);
  });

  test('a full backlog is tried again, for 5 s', async () => {
    const { relay, clock, ends, service, accepts } = rig();
    relay.targets.set('unix:/run/arc/adb/adb.sock', { refuses: 'EAGAIN' });
    const [first, second] = [relay.dial(HERE), relay.dial(HERE)];
    clock.advance(seconds(4));
    expect([first.isClosed, second.isClosed, service.admission.open]).toEqual([false, false, 2]);
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    clock.advance(seconds(0.1));
    await settled();
    expect(ends).toHaveLength(2);
  });

  test('none: closed at once, said once, and it works again when one is back', async () => {
    const { relay, log, ends, service, accepts } = rig();
    expect([relay.dial(HERE), relay.dial(HERE)].map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(service.refused['target-down']).toBe(2);
    expect(service.targetState).toBe('down: ENOENT');
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    relay.dial(HERE);
    await settled();
    expect(ends).toHaveLength(1);
    expect(log.lines.filter((line) => line.includes('target.'))).toEqual([
      'warn target.down targets=unix:/run/arc/adb/adb.sock error=ENOENT',
      'info target.up target=unix:/run/arc/adb/adb.sock',
    ]);
  });

  test('others end all connections', async () => {
    const { relay, service, accepts } = rig();
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    const near = relay.dial(HERE);
    await settled();
    service.set({ gates: [LOCAL], targets: [VSOCK] });
    expect([near.isClosed, service.admission.open, relay.places]).toEqual([true, 0, [HERE]]);
    service.set({ gates: [], targets: [] });
    expect(relay.places).toEqual([]);
  });
});

describe('who is let in', () => {
  test.each([
    {
      name: 'up to the limit of a source',
      sources: ['10.0.0.1', '10.0.0.1', '10.0.0.1'],
      want: { open: 2, refused: 'per-source' },
    },
    {
      name: 'up to the limit of all',
      sources: ['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'],
      want: { open: 4, refused: 'total' },
    },
    { name: 'not from elsewhere', sources: ['10.0.0.1', '10.9.0.1'], want: { open: 1, refused: 'source' } },
  ] as const)('$name', async ({ sources, want }) => {
    const from = checkedSources(['10.0.0.0/24']);
    if (!from.ok) throw new Error(from.sentence);
    const gate: GateSpec = { place: { address: '10.0.0.7', port: 5555 }, from: from.value, autoOff: null };
    const { relay, service, accepts } = rig([SOCKET], [gate]);
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    const ends = sources.map((source) => relay.dial('10.0.0.7:5555', source));
    await settled();
    expect(service.admission.open).toBe(want.open);
    expect(service.refused).toMatchObject({ [want.refused]: 1 });
    const [open] = ends;
    open?.say('x');
    expect(ends.at(-1)?.isClosed).toBe(true);
  });

  test('who leaves makes room', async () => {
    const { relay, ends, service, accepts } = rig([SOCKET], [LOCAL], { total: 1, perSource: 1 });
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    for (let turn = 0; turn < 5; turn++) {
      const near = relay.dial(HERE);
      await settled();
      expect(relay.dial(HERE).isClosed).toBe(true);
      near.end();
      ends.at(-1)?.end();
    }
    expect([service.admission.open, service.refused.total]).toEqual([0, 5]);
  });
});

describe('gates', () => {
  test('one that cannot be opened is tried again, and said once', () => {
    const { relay, clock, log, service } = rig([SOCKET], []);
    relay.refusals.set(HERE, 'EADDRINUSE');
    service.set({ gates: [LOCAL], targets: [SOCKET] });
    clock.advance(seconds(20));
    expect(service.gates.map(({ state }) => state)).toEqual(['waits: EADDRINUSE']);
    relay.refusals.clear();
    clock.advance(seconds(30));
    expect(relay.places).toEqual([HERE]);
    expect(log.lines.filter((line) => line.includes('listen'))).toEqual([
      `warn listen.refused at=${HERE} error=EADDRINUSE`,
      `info listening at=${HERE}`,
    ]);
  });

  test('one that is not wanted any more is not tried again', () => {
    const { relay, clock, service } = rig([SOCKET], []);
    relay.refusals.set(HERE, 'EADDRNOTAVAIL');
    service.set({ gates: [LOCAL], targets: [SOCKET] });
    service.set({ gates: [], targets: [SOCKET] });
    expect(clock.pending()).toEqual([]);
  });

  test('without descriptors it waits a moment, and those who waited come in', async () => {
    const { relay, clock, log, ends, accepts } = rig();
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    relay.fault(HERE, 'EMFILE');
    relay.dial(HERE);
    await settled();
    expect(ends).toHaveLength(0);
    clock.advance(seconds(0.1));
    await settled();
    expect(ends).toHaveLength(1);
    expect(log.lines).toContain(`warn accept.refused at=${HERE} error=EMFILE`);
  });

  test('the time of auto-off goes on while the gate is not wanted', () => {
    const timed: GateSpec = { place: { address: '127.0.0.1', port: 6000 }, from: null, autoOff: seconds(60) };
    const { relay, clock, service } = rig([SOCKET], [timed]);
    const wanted = { gates: [timed], targets: [SOCKET] };
    for (const time of [seconds(50), seconds(9)]) {
      clock.advance(time);
      service.set({ gates: [], targets: [] });
      service.set(wanted);
      expect(relay.places).toEqual(['127.0.0.1:6000']);
    }
    clock.advance(seconds(1));
    expect(relay.places).toEqual([]);
    service.set(wanted);
    expect([relay.places, clock.pending()]).toEqual([[], []]);
  });

  test('a gate whose time ran out while it was not wanted is closed at once', () => {
    const timed: GateSpec = { place: { address: '127.0.0.1', port: 6000 }, from: null, autoOff: seconds(60) };
    const { relay, clock, service } = rig([SOCKET], [timed]);
    service.set({ gates: [], targets: [] });
    clock.advance(seconds(100));
    service.set({ gates: [timed], targets: [SOCKET] });
    clock.advance(seconds(0));
    expect(relay.places).toEqual([]);
  });

  test('auto-off closes the gate and what came in by it, and it stays closed', async () => {
    const timed: GateSpec = { place: { address: '127.0.0.1', port: 6000 }, from: null, autoOff: seconds(60) };
    const { relay, clock, service, accepts } = rig([SOCKET], [LOCAL, timed]);
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    const [stays, goes] = [relay.dial(HERE), relay.dial('127.0.0.1:6000')];
    await settled();
    clock.advance(seconds(60));
    expect([stays.isClosed, goes.isClosed]).toEqual([false, true]);
    service.set({ gates: [LOCAL, timed], targets: [SOCKET] });
    expect(relay.places).toEqual([HERE]);
    expect(service.gates.map((gate) => `${gateName(gate.spec)}: ${gate.state}`)).toEqual([
      `${HERE}: open`,
      '127.0.0.1:6000: off: its time was over',
    ]);
  });
});

describe('the end', () => {
  const advanceBy = async (clock: VirtualClock, sec: number): Promise<void> => {
    for (let step = 0; step < sec * 10; step++) {
      clock.advance(seconds(0.1));
      await settled();
    }
  };

  test('transfers are waited for, 4 s at most; nobody is let in', async () => {
    const { relay, clock, ends, service, accepts } = rig();
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    const near = relay.dial(HERE);
    await settled();
    let isOver = false;
    void service.drain().then(() => (isOver = true));
    expect(relay.places).toEqual([]);
    service.set({ gates: [LOCAL], targets: [SOCKET] });
    expect(relay.places).toEqual([]);
    for (let turn = 0; turn < 35; turn++) {
      ends[0]?.say('x');
      await advanceBy(clock, 0.1);
    }
    expect([isOver, near.isClosed]).toEqual([false, false]);
    await advanceBy(clock, 1);
    expect([isOver, near.isClosed]).toEqual([true, true]);
  });

  test('quiet connections are not waited for longer than a second', async () => {
    const { relay, clock, service, accepts } = rig();
    relay.targets.set('unix:/run/arc/adb/adb.sock', accepts);
    const near = relay.dial(HERE);
    await settled();
    const over = service.drain();
    await advanceBy(clock, 1.2);
    await over;
    expect(near.isClosed).toBe(true);
  });

  test('with nobody inside it is over at once', async () => {
    const { service, clock } = rig();
    await service.drain();
    expect(clock.pending()).toEqual([]);
  });
});

test('status', async () => {
  const { relay, ends, clock, service, accepts } = rig([SOCKET, TCP]);
  relay.targets.set('tcp:100.115.92.2:5555', accepts);
  relay.dial(HERE, '127.0.0.1').say('abc');
  await settled();
  ends[0]?.say('defgh');
  clock.advance(seconds(7));
  expect(statusOf(service, clock.now())).toEqual({
    targets: ['unix:/run/arc/adb/adb.sock', 'tcp:100.115.92.2:5555'],
    target: 'up: tcp:100.115.92.2:5555',
    open: 1,
    maxConnections: 4,
    maxPerSource: 2,
    bytesFromClients: 3,
    bytesFromTargets: 5,
    broken: 0,
    listeners: [{ at: HERE, from: [], state: 'open', accepted: 1 }],
    refused: expect.arrayContaining([
      { reason: 'source', count: 0, meaning: 'its address is not in --from' },
    ]) as unknown,
    connections: [
      {
        source: '127.0.0.1',
        at: HERE,
        target: 'tcp:100.115.92.2:5555',
        sec: 7,
        fromClient: 3,
        fromTarget: 5,
      },
    ],
  });
});
