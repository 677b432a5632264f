import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
// eslint-disable-next-line @nx/enforce-module-boundaries -- tools is no project: nothing but this and the build has it
import { withSharedShapes } from '../../../tools/shared-shapes';

test.each([
  { name: 'a spread, then a property', code: '({...{a:1},b:2})', want: { a: 1, b: 2 } },
  { name: 'a spread, then another', code: '({...{a:1},...{b:2}})', want: { a: 1, b: 2 } },
  { name: 'one in another, and a later value wins', code: '({...{...{a:1},b:2},a:3})', want: { a: 3, b: 2 } },
  { name: 'a spread of nothing', code: '({...(false?{a:1}:null),b:2})', want: { b: 2 } },
])('$name: makes the same object', ({ code, want }) => {
  const shared = withSharedShapes(code);
  expect(shared).not.toBe(code);
  const made: unknown = eval(shared);
  expect(made).toStrictEqual(want);
});

test.each([
  { name: 'a spread alone', code: '({...a})' },
  { name: 'a spread that is not the first', code: '({b:2,...a,c:3})' },
  { name: 'what is taken apart', code: 'const {a,...b}=c;f(...d);g([...e,1])' },
  { name: 'text that looks like it', code: '"{...a,b}";/*({...a,b})*/`{...a,b}`' },
])('$name: is left alone', ({ code }) => {
  expect(withSharedShapes(code)).toBe(code);
});

const BUILT = resolve(__dirname, '../../../dist/bin');

test.each(readdirSync(BUILT))('%s loads nothing that costs memory and is not used', (name) => {
  const code = readFileSync(join(BUILT, name), 'utf8');
  expect(code).not.toMatch(/\bWebAssembly\b|require\("(?:node:)?(?:perf_hooks|worker_threads)"\)/);
});
