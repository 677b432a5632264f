import { accept, checkedAll, checkedEach, refuse, type Checked } from './result';

const digit = (text: string): Checked<number> =>
  /^\d$/.test(text) ? accept(Number(text)) : refuse('InvalidArgument', `'${text}' is no digit`);

test('checkedAll: every value by its name', () => {
  expect(checkedAll({ a: accept(1), b: accept('x'), c: accept(null) })).toEqual(
    accept({ a: 1, b: 'x', c: null }),
  );
});

test('checkedAll: the first that is refused', () => {
  expect(checkedAll({ a: accept(1), b: digit('y'), c: digit('z') })).toEqual(digit('y'));
});

test('checkedEach: all in order', () => {
  expect(checkedEach(['3', '1', '3'], digit)).toEqual(accept([3, 1, 3]));
  expect(checkedEach([], digit)).toEqual(accept([]));
});

test('checkedEach: the first that is refused, and nothing after it is looked at', () => {
  const seen: string[] = [];
  const looking = (text: string): Checked<number> => {
    seen.push(text);
    return digit(text);
  };
  expect(checkedEach(['1', 'y', 'z'], looking)).toEqual(digit('y'));
  expect(seen).toEqual(['1', 'y']);
});
