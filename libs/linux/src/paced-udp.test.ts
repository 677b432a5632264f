import { millis } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import type { UdpDatagram, UdpHandle, UdpOptions } from '@pp/native';
import { openPacedUdp } from './paced-udp';

/** A socket whose datagrams wait while it is paused. */
class FakeUdp {
  readonly clock = new VirtualClock();
  readonly heard: number[] = [];
  readonly handle: UdpHandle;
  isPaused = false;
  isOpen = true;
  #waiting = 0;
  #onDatagrams: UdpOptions['onDatagrams'] = () => undefined;

  constructor() {
    const openUdp = (options: UdpOptions): UdpHandle => {
      this.#onDatagrams = options.onDatagrams;
      return {
        fd: 7,
        port: 1,
        send: () => undefined,
        pause: () => (this.isPaused = true),
        resume: () => (this.isPaused = false),
        receive: () => this.#report(),
        close: () => (this.isOpen = false),
      };
    };
    const options: UdpOptions = {
      family: 'ipv4',
      address: '0.0.0.0',
      port: 1,
      onDatagrams: (batch) => this.heard.push(batch.length),
      onError: () => undefined,
    };
    this.handle = openPacedUdp({ openUdp }, this.clock, options);
  }

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
    if (count > 0) this.#onDatagrams(Array.from({ length: count }, () => ({}) as UdpDatagram));
    return count;
  }
}

test('datagrams that come singly are told at once', () => {
  const udp = new FakeUdp();
  udp.come(50, 3);
  expect(udp.heard).toEqual(Array.from({ length: 50 }, () => 1));
  expect([udp.isPaused, udp.clock.pending()]).toEqual([false, []]);
});

test('a stream is gathered, none is lost, and when it ends they are told at once again', () => {
  const udp = new FakeUdp();
  udp.come(1009, 0.1);
  expect(udp.isPaused).toBe(true);
  expect(udp.heard.length).toBeLessThan(150);
  udp.clock.advance(millis(10));
  expect(udp.heard.reduce((sum, each) => sum + each, 0)).toBe(1009);
  expect([udp.isPaused, udp.clock.pending()]).toEqual([false, []]);
  udp.come(1, 5);
  expect(udp.heard.at(-1)).toBe(1);
});

test('what is closed is not looked at any more', () => {
  const udp = new FakeUdp();
  udp.come(20, 0.1);
  expect(udp.clock.pending()).toEqual(['udp.look']);
  udp.handle.close();
  expect([udp.isOpen, udp.clock.pending()]).toEqual([false, []]);
});
