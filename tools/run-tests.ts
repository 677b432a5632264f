/**
 * `tsx tools/run-tests.ts [NX ARGS...]` runs lint, typecheck and every test of every project and ends with a line `N passed, N failed`:
 * tests, and with them each project whose lint, typecheck or whole test run failed. Exit code 0 only if nothing failed.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface NxRun {
  readonly output: string;
  readonly ok: boolean;
}

async function main(args: readonly string[]): Promise<number> {
  const checks = await nx(['-t', 'lint', 'typecheck', ...args]);
  // Tests look at the kernel too, which no cache key knows.
  const tests = await nx(['-t', 'test', '--skip-nx-cache', ...args]);
  const { passed, failed, skipped } = totalsOf(checks.output + tests.output);
  const unexplained = failed === 0 && !(checks.ok && tests.ok) ? 1 : 0;
  if (skipped > 0) print(`\n${skipped} skipped, each by name above or with "nx test PROJECT"\n`);
  print(`\n${passed} passed, ${failed + unexplained} failed\n`);
  return failed + unexplained === 0 ? 0 : 1;
}

/** Runs `nx run-many` with its output shown as it comes. */
function nx(args: readonly string[]): Promise<NxRun> {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' };
  const child = spawn(join(ROOT, 'node_modules/.bin/nx'), ['run-many', '--output-style=stream', ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const show = (text: string): void => {
    output += text;
    print(text);
  };
  child.stdout.setEncoding('utf8').on('data', show);
  child.stderr.setEncoding('utf8').on('data', show);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      done({ output, ok: code === 0 });
    });
  });
}

/** Sums jest's summaries, and counts the failed tasks that no failed test explains. */
export function totalsOf(output: string): Totals {
  const lines = output.replaceAll(/\u001b\[[\d;]*m/g, '').split('\n');
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
  totals.failed += failedTasks.filter((task) => !explained.has(task)).length;
  return totals;
}

function countOf(summary: string, what: keyof Totals): number {
  return Number(new RegExp(`(\\d+) ${what}`).exec(summary)?.[1] ?? 0);
}

function print(text: string): void {
  process.stdout.write(text);
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
