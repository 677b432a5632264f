import { millis } from '@pp/base';
import { Pace } from './pace';

const BATCH = 64;

/** A socket to which packets come `apart` milliseconds from each other, and what it reports together. */
class Scene {
  readonly reports: number[] = [];
  readonly waits: number[] = [];
  readonly #pace: Pace;
  #now = 0;
  #waiting = 0;
  #deafUntil = 0;

  constructor(gathering = { gap: millis(3), longest: millis(8) }) {
    this.#pace = new Pace({ ...gathering, batch: BATCH, clock: { now: () => millis(this.#now) } });
  }

  come(count: number, apart: number): this {
    for (let i = 0; i < count; i++) {
      this.#waiting++;
      this.#report();
      this.#now += apart;
    }
    return this;
  }

  /** Time in which nothing comes. */
  pass(time: number): this {
    this.#now += time;
    this.#report();
    return this;
  }

  #report(): void {
    while (this.#waiting > 0 && this.#now >= this.#deafUntil) {
      const count = Math.min(BATCH, this.#waiting);
      this.#waiting -= count;
      this.reports.push(count);
      const wait = this.#pace.waitAfter(count);
      if (wait > 0) this.waits.push(wait);
      this.#deafUntil = this.#now + wait;
    }
  }
}

const ones = (length: number): readonly number[] => Array.from({ length }, () => 1);

test.each([
  { name: 'singly', apart: 3 },
  { name: 'now and then', apart: 1000 },
])('what comes $name is told at once', ({ apart }) => {
  const { reports, waits } = new Scene().come(50, apart);
  expect([reports, waits]).toEqual([ones(50), []]);
});

test('a burst is no stream', () => {
  const scene = new Scene();
  for (let i = 0; i < 20; i++) scene.come(7, 0.01).pass(100);
  expect([scene.reports.length, scene.waits]).toEqual([140, []]);
});

test.each([
  { name: 'two milliseconds, not longer than may be', apart: 2, wait: 8, count: 4 },
  { name: 'a quarter of one, so that twelve come together', apart: 0.25, wait: 3, count: 12 },
  { name: 'a hundredth of one, not shorter than pays', apart: 0.01, wait: 2, count: 200 },
])('a stream of one in $name', ({ apart, wait, count }) => {
  const scene = new Scene().come(10_000, apart).pass(10);
  expect(scene.reports.slice(0, 9)).toEqual(ones(9));
  expect(new Set(scene.waits.slice(0, -3))).toEqual(new Set([wait]));
  expect(scene.reports.reduce((sum, each) => sum + each, 0)).toBe(10_000);
  const together = scene.reports.slice(9, -3);
  const inAll = together.reduce((sum, each) => sum + each, 0);
  expect(inAll / (scene.waits.length - 2)).toBeCloseTo(count, -1);
});

test('after a full batch the rest is told before anything is waited for', () => {
  const scene = new Scene().come(9, 1).come(150, 0.01).pass(10);
  expect(scene.reports.slice(9)).toEqual([64, 64, 22]);
});

test.each([
  { name: 'goes on at half the speed', apart: 5, want: true },
  { name: 'is none any more below that', apart: 6.5, want: false },
])('a stream $name', ({ apart, want }) => {
  const scene = new Scene().come(100, 1);
  const before = scene.waits.length;
  scene.come(40, apart);
  expect(scene.waits.length > before + 10).toBe(want);
});

test('when a stream has ended, what comes is told at once', () => {
  const scene = new Scene().come(100, 0.5).pass(20);
  const before = [scene.reports.length, scene.waits.length];
  scene.pass(1000).come(5, 0.1);
  expect(scene.reports.slice(before[0])).toEqual(ones(5));
  expect(scene.waits.length).toBe(before[1]);
});
