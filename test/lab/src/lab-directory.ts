import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  endProcess,
  hasEnvironment,
  identify,
  isAlive,
  namespaceOf,
  processesWhere,
  type ProcessIdentity,
} from './process-table';
import { until } from './until';
import { uidOutside } from './user-namespace';

/*
 * Each lab has one directory, named after the process that made it:
 *
 *   $TMPDIR/patchpanel-lab-UID/BOOT.PIDNS.PID.START.xxxxxx/
 *     holders     one line `PID START` for each process that holds a namespace
 *     NAME/       shared with the host NAME, where it is /run/lab
 *
 * The name tells a later run whether the owner still lives. The directory's own name is also in the environment of everything
 * that the lab starts, so that what a killed owner left can be found even if it was orphaned.
 */

export const LAB_VARIABLE = 'PATCHPANEL_LAB';

/** Makes the directory of a new lab of this process; returns its path. */
export function makeLabDirectory(): string {
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process is not in /proc');
  return mkdtempSync(join(labRoot(), `${thisWorld()}.${self.pid}.${self.startTicks}.`));
}

/** To be called once the process is in its own mount namespace: all who live there belong to the lab. */
export function recordHolder(directory: string, pid: number): void {
  const holder = identify(pid);
  if (holder !== undefined)
    appendFileSync(join(directory, 'holders'), `${holder.pid} ${holder.startTicks}\n`);
}

/** Ends every process of the lab, waits until they are gone, and removes its directory. Idempotent. */
export async function clearLab(directory: string): Promise<void> {
  await until(`the processes of ${directory} are gone`, () => {
    const members = labMembers(directory);
    members.forEach(endProcess);
    return members.length === 0;
  });
  rmSync(directory, { recursive: true, force: true });
}

/** Clears the labs whose owner died without closing them; returns their directories. Labs of living owners are left alone. */
export async function sweepDeadLabs(): Promise<readonly string[]> {
  const root = labRoot();
  const dead = readdirSync(root)
    .map((name) => join(root, name))
    .filter(isOrphaned);
  for (const directory of dead) await clearLab(directory);
  return dead;
}

/** Whoever holds a namespace of the lab, lives in one of its mount namespaces, or was started by it. */
export function labMembers(directory: string): readonly ProcessIdentity[] {
  const tag = basename(directory);
  const holders = readHolders(directory).filter(isAlive);
  const mounts = new Set(holders.map(({ pid }) => namespaceOf(pid, 'mnt')));
  mounts.delete(namespaceOf('self', 'mnt')); // never, but the price of a mistake would be everything that runs here
  mounts.delete(undefined);
  return processesWhere((pid) => {
    if (pid === process.pid) return false;
    return hasEnvironment(pid, LAB_VARIABLE, tag) || mounts.has(namespaceOf(pid, 'mnt'));
  });
}

function readHolders(directory: string): readonly ProcessIdentity[] {
  const file = join(directory, 'holders');
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => ({ pid: Number(line.split(' ')[0]), startTicks: line.split(' ')[1] ?? '' }));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fault;
  }
}

function isOrphaned(directory: string): boolean {
  const [boot, pidNamespace, pid, startTicks] = basename(directory).split('.');
  if (pid === undefined || startTicks === undefined) return false;
  const [ourBoot, ourPidNamespace] = thisWorld().split('.');
  if (boot !== ourBoot) return true;
  return pidNamespace === ourPidNamespace && !isAlive({ pid: Number(pid), startTicks });
}

/** Pids mean something only within one boot and one pid namespace. */
function thisWorld(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  const pidNamespace = /\d+/.exec(namespaceOf('self', 'pid') ?? '')?.[0] ?? '0';
  return `${boot}.${pidNamespace}`;
}

/** What is written there decides what gets killed, so nobody else may write there. */
function labRoot(): string {
  const root = join(tmpdir(), `patchpanel-lab-${uidOutside()}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(root);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new Error(`${root} must be a directory that belongs to you and nobody else can enter: remove it`);
  }
  return root;
}
