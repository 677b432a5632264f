import { stripVTControlCharacters } from 'node:util';

/** Of tests that pass only when run again, more than these are no accident. */
const FEW = 3;

export interface Totals {
  readonly passed: number;
  /** Tests, and tasks that no failed test explains. */
  readonly failed: number;
  readonly failedTests: number;
  readonly skipped: number;
}

export interface TestFile {
  readonly project: string;
  /** In the folder of the project. */
  readonly path: string;
}

/** Sums jest's summaries in the output of `nx run-many --output-style=stream`, and counts the failed tasks that no failed test explains. */
export function totalsOf(output: string): Totals {
  const lines = linesOf(output);
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const explained = new Set<string>();
  for (const line of lines) {
    const [, project = '', summary] = /^(?:(\S+): )?Tests: +(.*\d+ total)$/.exec(line) ?? [];
    if (summary === undefined) continue;
    for (const key of ['passed', 'failed', 'skipped'] as const) totals[key] += countOf(summary, key);
    if (countOf(summary, 'failed') > 0) explained.add(`${project}:test`);
  }
  const failedTasks = lines.flatMap(
    (line) => /^ *- (\S+:(?:lint|typecheck|test|addon|build))$/.exec(line)?.[1] ?? [],
  );
  const unexplained = failedTasks.filter((task) => !explained.has(task)).length;
  return { ...totals, failed: totals.failed + unexplained, failedTests: totals.failed };
}

/** The test files to run once more: those that failed, if they alone are why the run failed, and they are few. */
export function worthAnother(output: string): readonly TestFile[] {
  const { failed, failedTests } = totalsOf(output);
  const files = failedFilesOf(output);
  return failed === failedTests && files.length <= FEW ? files : [];
}

/** What jest says `FAIL` of, each once. */
function failedFilesOf(output: string): readonly TestFile[] {
  const found = linesOf(output).flatMap((line) => {
    const [, project, path] = /^(\S+): FAIL (\S+)/.exec(line) ?? [];
    return project === undefined || path === undefined
      ? []
      : [[`${project} ${path}`, { project, path }] as const];
  });
  return [...new Map(found).values()];
}

function countOf(summary: string, what: 'passed' | 'failed' | 'skipped'): number {
  return Number(new RegExp(`(\\d+) ${what}`).exec(summary)?.[1] ?? 0);
}

const linesOf = (output: string): readonly string[] => stripVTControlCharacters(output).split('\n');
