import { readArgs } from './args';

const ALL = { help: false, json: false, quick: false, only: [] };

test.each([
  { name: 'nothing', in: [], want: ALL },
  {
    name: 'all flags',
    in: ['--json', '--quick', '--help'],
    want: { ...ALL, json: true, quick: true, help: true },
  },
  { name: 'two figures', in: ['--only', 'a', '--only=b'], want: { ...ALL, only: ['a', 'b'] } },
])('$name', ({ in: argv, want }) => {
  expect(readArgs(argv, ['a', 'b'])).toEqual({ ok: true, value: want });
});

test.each([
  { name: 'an unknown figure names the known ones', in: ['--only', 'c'], want: '--only c: use one of a, b' },
  { name: 'an unknown flag', in: ['--fast'], want: "Unknown option '--fast'" },
  { name: 'a stray word', in: ['a'], want: "Unexpected argument 'a'" },
])('$name', ({ in: argv, want }) => {
  expect(readArgs(argv, ['a', 'b'])).toMatchObject({
    ok: false,
    sentence: expect.stringContaining(want) as unknown,
  });
});
