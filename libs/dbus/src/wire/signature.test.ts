import { Malformed } from '../errors';
import { parseSignature, parseSingleType, signatureOf } from './signature';

test.each([
  '',
  'ayh',
  'a{sv}',
  'a(yt)aay',
  '(i(ss)a{s(ii)})v',
  'ybnqiuxtdsoghv',
  'a'.repeat(32) + 'y',
  'y'.repeat(255),
])('%s comes back as it was', (signature) => {
  expect(parseSignature(signature).map(signatureOf).join('')).toBe(signature);
});

test('an array of dict entries is one type', () => {
  expect(parseSignature('aa{sv}')).toEqual([
    { code: 'a', element: { code: '{', key: { code: 's' }, value: { code: 'v' } } },
  ]);
});

test.each([
  { name: 'an unknown code', in: 'z' },
  { name: 'a code that libraries use inside', in: 'r' },
  { name: 'an array of nothing', in: 'a' },
  { name: 'an empty struct', in: '()' },
  { name: 'an array of empty structs', in: 'a()' },
  { name: 'an open struct', in: '(i' },
  { name: 'a lone closing parenthesis', in: 'i)' },
  { name: 'a dict entry outside an array', in: '{sv}' },
  { name: 'a dict entry with one type', in: 'a{s}' },
  { name: 'a dict entry with three types', in: 'a{svv}' },
  { name: 'an open dict entry', in: 'a{sv' },
  { name: 'an empty dict entry', in: 'a{}' },
  { name: 'a dict key that is a variant', in: 'a{vs}' },
  { name: 'a dict key that is a struct', in: 'a{(i)s}' },
  { name: 'mixed brackets', in: 'a{s(i})' },
  { name: 'arrays 33 deep', in: 'a'.repeat(33) + 'y' },
  { name: 'structs 33 deep', in: '('.repeat(33) + 'y' + ')'.repeat(33) },
  { name: 'dict entries and structs 33 deep', in: '('.repeat(32) + 'a{sv}' + ')'.repeat(32) },
  { name: '256 types', in: 'y'.repeat(256) },
])('refused: $name', ({ in: signature }) => {
  expect(() => parseSignature(signature)).toThrow(Malformed);
});

test.each(['', 'ii', 'i)', 'a'])("'%s' is not one type", (signature) => {
  expect(() => parseSingleType(signature)).toThrow(Malformed);
});
