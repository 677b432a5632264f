/** The order of events and snapshots, with a kernel that is a script and a subject that is a number. */
import { KernelError, millis } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { encodeMessage } from './codec/message';
import { readU8 } from './codec/numbers';
import { Monitor } from './monitor';
import type { Subject } from './monitor';
import { scripted } from './testing';
import type { ScriptedSocket } from './testing';

const TOLD = 16;
const event = (byte: number): Uint8Array =>
  encodeMessage({ type: TOLD, flags: 0, seq: 0, body: Uint8Array.of(byte) });

/** Snapshots that the test settles. */
class Snapshots {
  readonly #waiting: { resolve: (value: string) => void; reject: (error: Error) => void }[] = [];

  readonly take = (): Promise<string> =>
    new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));

  get count(): number {
    return this.#waiting.length;
  }

  resolve(value: string): void {
    this.#waiting.shift()?.resolve(value);
  }

  reject(error: Error): void {
    this.#waiting.shift()?.reject(error);
  }
}

interface Watched {
  readonly monitor: Monitor<string, number>;
  readonly snapshots: Snapshots;
  readonly clock: VirtualClock;
  readonly socket: ScriptedSocket;
  readonly told: string[];
}

function watch(): Watched {
  const { open, sockets } = scripted(() => []);
  const snapshots = new Snapshots();
  const clock = new VirtualClock();
  const told: string[] = [];
  const subject: Subject<string, number> = {
    groups: [1, 5],
    decode: ({ type, body }) => (type === TOLD ? readU8(body, 0) : null),
    snapshot: snapshots.take,
  };
  const monitor = new Monitor({
    open,
    subject,
    clock,
    onSnapshot: (snapshot) => told.push(snapshot),
    onEvent: (byte) => told.push(`event ${byte}`),
    onFault: (fault) => told.push(fault.message),
  });
  const socket = sockets[1];
  if (socket === undefined) throw new Error('the monitor opens two sockets');
  return { monitor, snapshots, clock, socket, told };
}

/** Lets promises settle. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

async function started(): Promise<Watched> {
  const watched = watch();
  const start = watched.monitor.start();
  watched.snapshots.resolve('first');
  await start;
  return watched;
}

test('it joins the groups, then reads, then starts', async () => {
  const { monitor, snapshots, socket, told } = watch();
  const start = monitor.start();
  expect([socket.joined, snapshots.count, told]).toEqual([[1, 5], 1, []]);
  snapshots.resolve('first');
  await start;
  expect(told).toEqual(['first']);
});

test('what comes during the snapshot is told after it', async () => {
  const { monitor, snapshots, socket, told } = watch();
  const start = monitor.start();
  socket.deliver(event(1));
  socket.deliver(Uint8Array.of(...event(2), ...event(3)));
  snapshots.resolve('first');
  await start;
  socket.deliver(event(4));
  expect(told).toEqual(['first', 'event 1', 'event 2', 'event 3', 'event 4']);
});

test('what is of no interest is not told', async () => {
  const { socket, told } = await started();
  socket.deliver(encodeMessage({ type: 99, flags: 0, seq: 0, body: new Uint8Array(0) }));
  expect(told).toEqual(['first']);
});

test('events lost: all is read again, and told before the events since', async () => {
  const { snapshots, socket, told } = await started();
  socket.fail('ENOBUFS');
  socket.deliver(event(1));
  expect([snapshots.count, told]).toEqual([1, ['first']]);
  snapshots.resolve('second');
  await settle();
  expect(told).toEqual(['first', 'second', 'event 1']);
});

test('events lost while reading: it is told, and read once more', async () => {
  const { snapshots, socket, told } = await started();
  socket.fail('ENOBUFS');
  socket.fail('ENOBUFS');
  socket.fail('ENOBUFS');
  snapshots.resolve('second');
  await settle();
  expect([snapshots.count, told]).toEqual([1, ['first', 'second']]);
  snapshots.resolve('third');
  await settle();
  expect([snapshots.count, told]).toEqual([0, ['first', 'second', 'third']]);
});

test('read again when asked to', async () => {
  const { monitor, snapshots, told } = await started();
  monitor.refresh();
  monitor.refresh();
  snapshots.resolve('second');
  await settle();
  snapshots.resolve('third');
  await settle();
  expect([snapshots.count, told]).toEqual([0, ['first', 'second', 'third']]);
});

test('an event that cannot be read counts as lost', async () => {
  const { snapshots, socket } = await started();
  socket.deliver(new Uint8Array(3));
  expect(snapshots.count).toBe(1);
});

test('more events than are worth holding: read once more', async () => {
  const { snapshots, socket, told } = await started();
  socket.fail('ENOBUFS');
  for (let n = 0; n < 5000; n += 1) socket.deliver(event(1));
  snapshots.resolve('second');
  await settle();
  expect([told.length, snapshots.count]).toEqual([2 + 4096, 1]);
});

test('a snapshot that is refused is said, and tried again later and later', async () => {
  const { snapshots, socket, clock, told } = await started();
  socket.fail('ENOBUFS');
  snapshots.reject(new KernelError('EINTR', 'link.dump'));
  await settle();
  expect([snapshots.count, told]).toEqual([0, ['first', 'link.dump: EINTR']]);
  clock.advance(millis(100));
  snapshots.reject(new KernelError('EINTR', 'link.dump'));
  await settle();
  clock.advance(millis(199));
  expect(snapshots.count).toBe(0);
  clock.advance(millis(1));
  snapshots.resolve('second');
  await settle();
  expect(told).toEqual(['first', 'link.dump: EINTR', 'link.dump: EINTR', 'second']);
});

test('a start that cannot read fails', async () => {
  const { monitor, snapshots } = watch();
  const start = monitor.start();
  snapshots.reject(new KernelError('EPERM', 'link.dump'));
  await expect(start).rejects.toThrow('link.dump: EPERM');
});

test('after close nothing is told', async () => {
  const { monitor, snapshots, socket, told } = await started();
  socket.fail('ENOBUFS');
  monitor.close();
  monitor.close();
  snapshots.resolve('second');
  socket.deliver(event(1));
  await settle();
  expect(told).toEqual(['first']);
});
