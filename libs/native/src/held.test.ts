import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long the kernel held a thread, by held.h, of moments that no clock of this machine gave. */

const SECOND = 1_000_000_000;
const MICRO = 1000;

let directory = '';
let program = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'held-'));
  program = join(directory, 'held');
  const args = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Werror', '-o', program];
  const { stderr } = run(process.env['CC'] ?? 'cc', [...args, join(__dirname, 'testing/held.c')]);
  expect(stderr).toBe('');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Moment {
  readonly at: number;
  readonly cpu: number;
  readonly sleeps: number;
}

const BEGINNING: Moment = { at: 7 * SECOND, cpu: 3 * SECOND - 20 * MICRO, sleeps: 41 };
const after = (passed: number, ran: number, slept: number): Moment => ({
  at: BEGINNING.at + passed * MICRO,
  cpu: BEGINNING.cpu + ran * MICRO,
  sleeps: BEGINNING.sleeps + slept,
});

const rows: readonly { name: string; end: Moment; want: number }[] = [
  { name: 'it ran all the time', end: after(50, 50, 0), want: 50 },
  { name: 'others had the CPU meanwhile: what it ran', end: after(8000, 50, 0), want: 50 },
  { name: 'it slept, for another had the lock: all the time', end: after(8000, 50, 1), want: 8000 },
  { name: 'it slept more than once', end: after(2_000_000, 700, 9), want: 2_000_000 },
];
test.each(rows)('$name', ({ end, want }) => {
  const words = [BEGINNING, end].flatMap(({ at, cpu, sleeps }) => [at, cpu, sleeps].map(String));
  expect(run(program, words)).toEqual({ status: 0, stdout: `${want}\n`, stderr: '' });
});

function run(command: string, args: readonly string[]) {
  const env = { ...process.env, LD_PRELOAD: '' }; // the compiler does not run under a sanitizer
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env });
  return { status, stdout, stderr };
}
