import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that cannot be confused with a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, proc(5) stat field 22. */
  readonly startTicks: string;
}

/** The process that has `pid` now; undefined where there is none or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readOrUndefined(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat === undefined) return undefined;
  // comm (field 2) may hold spaces and parentheses: fields are counted from the last ")".
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state === 'Z' || startTicks === undefined ? undefined : { pid, startTicks };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTicks === process.startTicks;
}

/** SIGKILL, but only while the pid still belongs to that very process. */
export function endProcess(victim: ProcessIdentity): void {
  if (!isAlive(victim)) return;
  try {
    process.kill(victim.pid, 'SIGKILL');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ESRCH') throw fault;
  }
}

/** Every process that we may look into and for which `wanted` holds. */
export function processesWhere(wanted: (pid: number) => boolean): readonly ProcessIdentity[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((pid) => (wanted(Number(pid)) ? (identify(Number(pid)) ?? []) : []));
}

/** Whether the process was started with `name=value` in its environment. */
export function hasEnvironment(pid: number, name: string, value: string): boolean {
  const environ = readOrUndefined(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
  return environ?.split('\0').includes(`${name}=${value}`) ?? false;
}

/** The kernel's name of the command, at most 15 bytes. */
export function commandName(pid: number): string | undefined {
  return readOrUndefined(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.trim();
}

export type NamespaceKind = 'mnt' | 'net' | 'pid';

/** The namespace's name, as in `net:[4026531840]`; undefined where the process is gone or not ours to look at. */
export function namespaceOf(pid: number | 'self', kind: NamespaceKind): string | undefined {
  return readOrUndefined(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
}

const GONE_OR_FOREIGN = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

function readOrUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch (fault) {
    if (GONE_OR_FOREIGN.includes((fault as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw fault;
  }
}
