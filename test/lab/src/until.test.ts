import { millis } from '@pp/base';
import { lastSeen, until } from './until';

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

describe('what was seen last', () => {
  const AT_ONCE = { deadline: millis(1) };

  test('is what was enough, and nothing is looked at again', async () => {
    let looks = 0;
    expect(
      await lastSeen(
        'two',
        () => Promise.resolve(++looks),
        (seen) => seen === 2,
      ),
    ).toBe(2);
    expect(looks).toBe(2);
  });

  test('is returned too where it is not enough', async () => {
    expect(
      await lastSeen(
        'never',
        () => Promise.resolve('this'),
        () => false,
        AT_ONCE,
      ),
    ).toBe('this');
  });

  test('is a fault where nothing could be seen', async () => {
    const dark = lastSeen(
      'the moon',
      () => Promise.reject(new Error('clouds')),
      () => true,
      AT_ONCE,
    );
    await expect(dark).rejects.toMatchObject({ cause: { message: 'clouds' } });
  });
});
