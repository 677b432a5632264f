import { millis } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { Pace } from './pace';

const BATCH = 16;

/** A socket whose packets wait while it is paused. */
class Scene {
  readonly clock = new VirtualClock();
  readonly heard: number[] = [];
  isPaused = false;
  asked = 0;
  #waiting = 0;
  readonly pace: Pace;

  constructor(gathering = { gap: millis(1), longest: millis(2) }) {
    const socket = {
      pause: () => (this.isPaused = true),
      resume: () => (this.isPaused = false),
      receive: () => {
        this.asked++;
        return this.#report();
      },
    };
    this.pace = new Pace({
      ...gathering,
      clock: this.clock,
      timer: 'look',
      batch: BATCH,
      socket: () => socket,
    });
  }

  come(count: number, gapMs: number): void {
    for (let i = 0; i < count; i++) {
      this.#waiting++;
      if (!this.isPaused) this.#report();
      this.clock.advance(millis(gapMs));
    }
  }

  #report(): number {
    const count = Math.min(BATCH, this.#waiting);
    this.#waiting -= count;
    if (count === 0) return 0;
    this.heard.push(count);
    this.pace.noticeBatch();
    return count;
  }
}

test('packets that come singly are told at once', () => {
  const scene = new Scene();
  scene.come(50, 3);
  expect(scene.heard).toEqual(Array.from({ length: 50 }, () => 1));
  expect([scene.isPaused, scene.clock.pending()]).toEqual([false, []]);
});

test('a stream is gathered, none is lost, and when it ends they are told at once again', () => {
  const scene = new Scene();
  scene.come(1009, 0.1);
  expect(scene.isPaused).toBe(true);
  expect(scene.heard.length).toBeLessThan(150);
  scene.clock.advance(millis(10));
  expect(scene.heard.reduce((sum, each) => sum + each, 0)).toBe(1009);
  expect([scene.isPaused, scene.clock.pending()]).toEqual([false, []]);
  scene.come(1, 5);
  expect(scene.heard.at(-1)).toBe(1);
});

test.each([
  { name: 'one a millisecond is looked at as seldom as may be', gapMs: 1, want: [8, 8, 8] },
  { name: 'four a millisecond, so that sixteen come together', gapMs: 0.25, want: [16, 16, 16] },
  { name: 'sixteen a millisecond as often as may be', gapMs: 0.0625, want: [32, 32, 32] },
])('a stream of $name', ({ gapMs, want }) => {
  const scene = new Scene({ gap: millis(3), longest: millis(8) });
  const looks: number[] = [];
  scene.come(800, gapMs);
  for (let i = 0; i < 3; i++) {
    const before = scene.asked;
    const told = scene.heard.length;
    while (scene.asked === before) scene.come(1, gapMs);
    looks.push(scene.heard.slice(told).reduce((sum, each) => sum + each, 0));
  }
  expect(looks).toEqual(want);
});

test('a look asks until a batch is not full', () => {
  const scene = new Scene();
  scene.come(9, 0.1);
  expect(scene.isPaused).toBe(true);
  scene.come(39, 0.01);
  scene.clock.advance(millis(2));
  expect([scene.heard.slice(9), scene.asked]).toEqual([[16, 16, 7], 3]);
});

test('after close nothing is looked at any more', () => {
  const scene = new Scene();
  scene.come(20, 0.1);
  expect(scene.clock.pending()).toEqual(['look']);
  scene.pace.close();
  expect(scene.clock.pending()).toEqual([]);
});
