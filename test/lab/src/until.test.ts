import { millis } from '@pp/base';
import { until } from './until';

test('the first truthy answer is returned', async () => {
  let asked = 0;
  expect(await until('three', () => (++asked === 3 ? asked : undefined))).toBe(3);
});

test('a throw counts as not yet', async () => {
  let asked = 0;
  const answer = await until('second', () => {
    if (++asked < 2) throw new Error('too early');
    return 'there';
  });
  expect(answer).toBe('there');
});

test('the error after the deadline names what was awaited and the last fault', async () => {
  const waiting = until('the moon', () => Promise.reject(new Error('clouds')), { deadline: millis(1) });
  await expect(waiting).rejects.toMatchObject({
    message: 'not within 1 ms: the moon',
    cause: { message: 'clouds' },
  });
});
