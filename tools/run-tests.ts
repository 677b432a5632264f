/**
 * `tsx tools/run-tests.ts [NX ARGS...]` runs lint, typecheck and every test of every project and ends with a line `N passed, N failed`:
 * tests, and with them each project whose lint, typecheck or whole test run failed. Exit code 0 only if nothing failed.
 *
 * The tests are of real kernels and daemons on machines that others use too. So where only a few test files failed, these are run once more
 * with nothing beside them; what passes then is counted as passed, and named at the end, since it is a fault of the test or a race of ours.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { totalsOf, worthAnother, type TestFile } from '../test/system/src/test-report';

const ROOT = resolve(import.meta.dirname, '..');

interface Run {
  readonly output: string;
  readonly ok: boolean;
}

async function main(args: readonly string[]): Promise<number> {
  const checks = await nx(['-t', 'lint', 'typecheck', ...args]);
  // Tests look at the kernel too, which no cache key knows.
  const tests = await nx(['-t', 'test', '--skip-nx-cache', ...args]);
  const totals = totalsOf(checks.output + tests.output);
  const unsteady = tests.ok ? [] : await passedAgain(tests.output);
  const { passed, failed } =
    unsteady.length > 0
      ? { passed: totals.passed + totals.failedTests, failed: totals.failed - totals.failedTests }
      : totals;
  const unexplained = failed === 0 && !(checks.ok && (tests.ok || unsteady.length > 0)) ? 1 : 0;
  if (totals.skipped > 0)
    print(`\n${totals.skipped} skipped, each by name above or with "nx test PROJECT"\n`);
  for (const { project, path } of unsteady)
    print(`\nNOT STEADY, passed only the second time: ${project} ${path}\n`);
  print(`\n${passed} passed, ${failed + unexplained} failed\n`);
  return failed + unexplained === 0 ? 0 : 1;
}

/** The failed test files that are worth another run, if all of them pass when each is run by itself; else none. */
async function passedAgain(output: string): Promise<readonly TestFile[]> {
  const files = worthAnother(output);
  for (const { project, path } of files) {
    print(`\n== once more: ${project} ${path}\n`);
    const { ok } = await run('jest', ['--runTestsByPath', path], join(ROOT, 'node_modules', project));
    if (!ok) return [];
  }
  return files;
}

/** Runs `nx run-many` with its output shown as it comes. */
const nx = (args: readonly string[]): Promise<Run> =>
  run('nx', ['run-many', '--output-style=stream', ...args], ROOT);

function run(command: string, args: readonly string[], cwd: string): Promise<Run> {
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' };
  const child = spawn(join(ROOT, 'node_modules/.bin', command), args, {
    cwd,
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

function print(text: string): void {
  process.stdout.write(text);
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
