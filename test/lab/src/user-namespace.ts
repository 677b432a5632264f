import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/**
 * An ordinary user may not make network namespaces, but often may make a user namespace in which it may: starts this program again
 * inside `unshare -Urnm` and returns its exit code. Undefined for root: go on.
 */
export async function runAgainAsRoot(): Promise<number | undefined> {
  if (process.getuid?.() === 0) return undefined;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', ['-Urnm', '--', ...again], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; the inner one tidies up and this one waits for it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}

/** One line of user_namespaces(7) uid_map: `length` ids from `inside` are those from `outside`. */
interface UidRange {
  readonly inside: number;
  readonly outside: number;
  readonly length: number;
}

/** Our uid as the machine knows it, also inside `unshare -Ur`. */
export function uidOutside(): number {
  const uid = process.getuid?.() ?? 0;
  const range = uidMap().find(({ inside, length }) => uid >= inside && uid < inside + length);
  return range === undefined ? uid : range.outside + uid - range.inside;
}

/** Whether user ids here are not the machine's own. */
export function inUserNamespace(): boolean {
  return !uidMap().some(
    ({ inside, outside, length }) => inside === 0 && outside === 0 && length === 2 ** 32 - 1,
  );
}

function uidMap(): readonly UidRange[] {
  const lines = readFileSync('/proc/self/uid_map', 'latin1').trim().split('\n');
  return lines.map((line) => {
    const [inside = 0, outside = 0, length = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, length };
  });
}
