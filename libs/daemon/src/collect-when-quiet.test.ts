import { seconds } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { collectWhenQuiet } from './collect-when-quiet';

/** Five seconds of a process: its CPU time, what is alive in its heap at their end, and the garbage that they made. */
type Interval = readonly [busyMs: number, aliveMb: number, garbageMb: number];

const rows: readonly { readonly name: string; readonly in: readonly Interval[]; readonly want: string }[] = [
  { name: 'the start, then rest', in: [[900, 5, 3], [3, 5, 0], [3, 5, 0]], want: '- collected -' }, // prettier-ignore
  { name: 'never a rest', in: [[250, 5, 50], [400, 5, 50], [250, 5, 50]], want: '- - -' }, // prettier-ignore
  { name: 'little by little', in: [[0, 5, 0], [1, 5, 1], [1, 5, 1], [1, 5, 1]], want: 'collected - - collected' }, // prettier-ignore
  { name: 'a burst', in: [[0, 5, 0], [4000, 7, 20], [1, 5, 0], [1, 5, 0]], want: 'collected - collected -' }, // prettier-ignore
  { name: 'a burst that leaves little', in: [[0, 5, 0], [4000, 5, 1], [1, 5, 0], [1, 5, 0]], want: 'collected - collected -' }, // prettier-ignore
  { name: 'much that stays alive', in: [[0, 5, 0], [1, 100, 0], [1, 100, 0]], want: 'collected collected -' }, // prettier-ignore
];

test.each(rows)('$name: $want', ({ in: intervals, want }) => {
  const clock = new VirtualClock();
  const heap = { cpuMs: 0, aliveMb: 0, garbageMb: 0, collections: 0 };
  const collectGarbage = (): void => {
    heap.garbageMb = 0;
    heap.collections += 1;
  };
  const heldBytes = (): number => (heap.aliveMb + heap.garbageMb) * 2 ** 20;
  collectWhenQuiet({ collectGarbage }, clock, { cpuMs: () => heap.cpuMs, heldBytes });
  const seen = intervals.map(([busyMs, aliveMb, garbageMb]) => {
    const before = heap.collections;
    heap.cpuMs += busyMs;
    heap.aliveMb = aliveMb;
    heap.garbageMb += garbageMb;
    clock.advance(seconds(5));
    return heap.collections > before ? 'collected' : '-';
  });
  expect(seen.join(' ')).toBe(want);
});
