import { spreadOf, type Spread } from '../stats/spread';

/** `enforced` false: an aim. What depends on an idle machine or on many rounds is printed, and judged by the reader. */
export interface Goal {
  readonly kind: 'at least' | 'at most';
  readonly value: number;
  readonly enforced: boolean;
}

/** One line of the table. */
export interface Row {
  readonly name: string;
  readonly measured: number;
  /** Of `measured`, `spread` and the goal's value: "x", "ms", "MB", "". */
  readonly unit: string;
  readonly goal: Goal;
  /** null: measured once. */
  readonly spread: Spread | null;
  /** What it is made of and what limits it: one sentence each. */
  readonly details: readonly string[];
}

export type Verdict = 'PASS' | 'FAIL' | 'met' | 'over';

export const atLeast = (value: number): Goal => ({ kind: 'at least', value, enforced: true });
export const atMost = (value: number): Goal => ({ kind: 'at most', value, enforced: true });
export const hoped = (value: number): Goal => ({ kind: 'at most', value, enforced: false });

/** NaN meets no goal. */
export function verdictOf({ measured, goal }: Pick<Row, 'measured' | 'goal'>): Verdict {
  const isMet = goal.kind === 'at least' ? measured >= goal.value : measured <= goal.value;
  if (goal.enforced) return isMet ? 'PASS' : 'FAIL';
  return isMet ? 'met' : 'over';
}

/** What a row says of ratios: their median, "x". */
export function ratioRow(
  name: string,
  ratios: readonly number[],
): Pick<Row, 'name' | 'measured' | 'unit' | 'spread'> {
  const spread = spreadOf(ratios);
  return { name, measured: spread.median, unit: 'x', spread };
}

/** What could not be measured is no success. */
export const unmeasured = (name: string, why: string): Row => ({
  name,
  measured: NaN,
  unit: '',
  goal: atMost(0),
  spread: null,
  details: [`not measured: ${why}`],
});
