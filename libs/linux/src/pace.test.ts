import { millis } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { Pace } from './pace';

/** A socket whose packets wait while it is paused; a batch is 16. */
class Scene {
  readonly clock = new VirtualClock();
  readonly heard: number[] = [];
  isPaused = false;
  #waiting = 0;
  readonly pace = new Pace(this.clock, 'look', () => ({
    pause: () => (this.isPaused = true),
    resume: () => (this.isPaused = false),
    receive: () => this.#report(),
  }));

  come(count: number, gapMs: number): void {
    for (let i = 0; i < count; i++) {
      this.#waiting++;
      if (!this.isPaused) this.#report();
      this.clock.advance(millis(gapMs));
    }
  }

  #report(): number {
    const count = Math.min(16, this.#waiting);
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

test('after close nothing is looked at any more', () => {
  const scene = new Scene();
  scene.come(20, 0.1);
  expect(scene.clock.pending()).toEqual(['look']);
  scene.pace.close();
  expect(scene.clock.pending()).toEqual([]);
});
