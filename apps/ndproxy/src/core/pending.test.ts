import { millis } from '@pp/base';
import { LIMITS } from './limits';
import { Pending, type Waiting } from './pending';
import { ip } from './testing/scene';

const [A, B] = [ip('2001:db8::a'), ip('2001:db8::b')];
const from = (ifindex: number): Waiting => ({ of: 'nd', frame: Uint8Array.of(ifindex), ifindex });
const limits = {
  ...LIMITS,
  solicits: 3,
  solicitInterval: millis(1000),
  pendingTargets: 2,
  pendingPerTarget: 2,
};

/** Two targets, asked for 400 ms apart. */
function pendingOf(): Pending {
  const pending = new Pending(limits);
  pending.add(A, from(1), true, millis(0));
  pending.add(B, from(2), true, millis(400));
  return pending;
}

test('each target is asked for again when its own time has come', () => {
  const pending = pendingOf();
  const asked = [999, 1000, 1399, 1400].map((now) =>
    pending.due(millis(now)).ask.map(({ address }) => address),
  );
  expect(asked).toEqual([[], [A], [], [B]]);
  expect(pending.nextDue()).toBe(2000);
});

test('a target that nobody answers for is asked for three times in all, and what waits is told', () => {
  const pending = pendingOf();
  pending.add(A, from(3), true, millis(100));
  expect(pending.due(millis(1000)).ask).toEqual([{ address: A, asker: 1, from: new Set([1, 3]) }]);
  pending.due(millis(2000));
  expect(pending.due(millis(3000)).unresolved.map(({ ifindex }) => ifindex)).toEqual([1, 3]);
  expect([pending.has(A), pending.has(B), pending.waiting]).toEqual([false, true, 1]);
});

test('more targets, or more messages for one, than are kept', () => {
  const pending = pendingOf();
  const answers = [
    pending.add(A, from(2), true, millis(0)),
    pending.add(A, from(3), true, millis(0)),
    pending.add(ip('2001:db8::c'), from(1), true, millis(0)),
  ];
  expect(answers).toEqual(['waits', 'full', 'full']);
});

test('who has been found has its messages taken; a borrowed frame was copied, and a long one is not kept', () => {
  const pending = new Pending(limits);
  const borrowed = Uint8Array.of(7);
  pending.add(A, { of: 'data', frame: borrowed, ifindex: 1 }, true, millis(0));
  pending.add(A, from(2), false, millis(0));
  borrowed[0] = 0;
  expect(pending.take(A)).toEqual([{ of: 'data', frame: Uint8Array.of(7), ifindex: 1 }]);
  expect([pending.take(A), pending.size, pending.nextDue()]).toEqual([[], 0, Infinity]);
});
