import type { Spread } from '../stats/spread';
import { verdictOf, type Row } from './row';

/** The rows as one table, the details of each below it, for a terminal. */
export function table(rows: readonly Row[]): string {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  const rule = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  const notes = rows.flatMap(({ name, details }) => ['', name, ...details.map((detail) => `  ${detail}`)]);
  return [head, rule, ...body, ...notes, ''].join('\n');
}

/** The rows as JSON, with their verdicts. */
export function json(rows: readonly Row[]): string {
  return `${JSON.stringify(
    rows.map((row) => ({ ...row, verdict: verdictOf(row) })),
    null,
    2,
  )}\n`;
}

/** Three figures that mean something, no exponent: 0.616, 13.9, 1234. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(2 - digits, 0), 3));
}

/** "1.43 ms (min 1.31, middle half 1.38-1.52, max 4.20, n 200)" */
export function spreadText({ count, min, lower, median, upper, max }: Spread, unit: string): string {
  const [low, a, middle, b, high] = [min, lower, median, upper, max].map(short);
  return `${middle ?? ''} ${unit} (min ${low ?? ''}, middle half ${a ?? ''}-${b ?? ''}, max ${high ?? ''}, n ${count})`;
}

const HEAD = ['figure', 'measured', 'min', '25 %', 'median', '75 %', 'max', 'n', 'goal', ''] as const;

function cellsOf(row: Row): readonly string[] {
  const { name, measured, unit, goal, spread } = row;
  const ranks =
    spread === null
      ? ['', '', '', '', '']
      : [spread.min, spread.lower, spread.median, spread.upper, spread.max].map(short);
  const goalText = `${goal.enforced ? '' : 'aim: '}${goal.kind} ${Number(goal.value.toFixed(2))} ${unit}`;
  return [
    name,
    `${short(measured)} ${unit}`,
    ...ranks,
    String(spread?.count ?? ''),
    goalText,
    verdictOf(row),
  ];
}
