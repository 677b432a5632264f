import { prepared } from './prepared';

const ROWS = [
  { name: 'asked for before its turn', order: ['ask', 'turn', 'ask'] },
  { name: 'asked for after it', order: ['turn', 'ask', 'ask'] },
  { name: 'never asked for', order: ['turn'] },
] as const;

test.each(ROWS)('made once, and not at once: $name', ({ order }) => {
  const turns: (() => void)[] = [];
  const made: string[] = [];
  const make = (): string => {
    made.push('it');
    return 'it';
  };
  const give = prepared(make, (task) => turns.push(task));
  expect(made).toEqual([]);
  for (const what of order) {
    if (what === 'turn') turns.shift()?.();
    else expect(give()).toBe('it');
  }
  expect(made).toEqual(['it']);
});
