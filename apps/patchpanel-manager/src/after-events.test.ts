import { afterEvents } from './after-events';

test('tasks run in order when the turn comes, what they defer in the next one', () => {
  const runs: (() => void)[] = [];
  const ran: string[] = [];
  const defer = afterEvents((run) => runs.push(run));
  defer(() => {
    ran.push('first');
    defer(() => ran.push('third'));
  });
  defer(() => ran.push('second'));
  expect([runs.length, ran]).toEqual([1, []]);
  runs.shift()?.();
  expect([runs.length, ran]).toEqual([1, ['first', 'second']]);
  runs.shift()?.();
  expect([runs.length, ran]).toEqual([0, ['first', 'second', 'third']]);
});
