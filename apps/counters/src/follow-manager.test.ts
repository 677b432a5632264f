import { millis } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { CallReply, OwnerHandler, SignalHandler } from '@pp/dbus';
import { encode } from '@pp/proto';
import { ManagerFollower } from './follow-manager';

/** A bus with a manager that comes and goes; it answers with the name of an uplink, or not at all. */
class Scene {
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  readonly told: string[] = [];
  uplink: string | Error = 'eth0';
  questions = 0;
  /** Whether the bus tells at once that there is a manager. */
  isThere = false;
  #onSignal: SignalHandler = () => undefined;
  #onOwner: OwnerHandler = () => undefined;

  async follow(): Promise<ManagerFollower> {
    const follower = new ManagerFollower({
      bus: {
        call: () => this.#answer(),
        subscribe: (_rule, handler) => {
          this.#onSignal = handler;
          return Promise.resolve(() => undefined);
        },
        watchName: (_name, handler) => {
          this.#onOwner = handler;
          if (this.isThere) handler(':1.1');
          return Promise.resolve(() => undefined);
        },
      },
      clock: this.clock,
      log: this.log,
      onCounted: ({ uplinks }) => this.told.push(uplinks.map(({ ifname }) => ifname).join(' ')),
    });
    await follower.start();
    return follower;
  }

  async owner(name: string | undefined): Promise<void> {
    this.#onOwner(name);
    await this.pass(0);
  }

  /** So many signals, one after the other. */
  async change(count: number): Promise<void> {
    for (let n = 0; n < count; n++) this.#onSignal({} as Parameters<SignalHandler>[0]);
    await this.pass(0);
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(millis(ms));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  #answer(): Promise<CallReply> {
    this.questions++;
    if (this.uplink instanceof Error) return Promise.reject(this.uplink);
    const body = [encode('CountedState', { uplinks: [{ ifname: this.uplink }] })];
    return Promise.resolve({ signature: 'ay', body, fds: [] });
  }
}

test('started with a manager: its first word is there', async () => {
  const scene = new Scene();
  scene.isThere = true;
  await scene.follow();
  expect(scene.told).toEqual(['eth0']);
});

test('started with a manager that gives no answer: it goes on without', async () => {
  const scene = new Scene();
  scene.isThere = true;
  scene.uplink = new Error('not now');
  const follower = await scene.follow();
  expect([scene.told, follower.state]).toEqual([[], 'asked']);
});

test('asks when the manager appears, and once for changes that come together', async () => {
  const scene = new Scene();
  const follower = await scene.follow();
  expect(follower.state).toBe('absent');
  await scene.owner(':1.5');
  expect([scene.told, follower.state]).toEqual([['eth0'], 'followed']);
  scene.uplink = 'wlan0';
  await scene.change(10);
  await scene.pass(20);
  expect([scene.told, scene.questions]).toEqual([['eth0', 'wlan0'], 2]);
});

test('while there is none nothing is asked, and the next one is asked anew', async () => {
  const scene = new Scene();
  const follower = await scene.follow();
  await scene.owner(':1.5');
  await scene.owner(undefined);
  await scene.change(1);
  await scene.pass(1000);
  expect([scene.questions, follower.state]).toEqual([1, 'absent']);
  await scene.owner(':1.9');
  expect(scene.told).toEqual(['eth0', 'eth0']);
});

test('one that gives no answer is asked again, later and later', async () => {
  const scene = new Scene();
  scene.uplink = new Error('busy');
  const follower = await scene.follow();
  await scene.owner(':1.5');
  await scene.pass(200);
  await scene.pass(399);
  expect([scene.questions, follower.state]).toEqual([2, 'asked']);
  scene.uplink = 'eth0';
  await scene.pass(1);
  expect([scene.told, follower.state]).toEqual([['eth0'], 'followed']);
  follower.close();
  expect(scene.clock.pending()).toEqual([]);
});
