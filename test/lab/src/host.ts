import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child';
import { recordHolder } from './lab-directory';
import { Place } from './place';

/** Where a host sees the directory that it shares with the test process. */
export const SHARED_INSIDE = '/run/lab';

/** A namespace that acts as a machine: its own network, host name, /run and /sys. */
export class Host extends Place {
  /** The same directory as /run/lab inside, as the test process sees it. UNIX sockets in it work from both sides. */
  readonly shared: string;

  constructor(name: string, pid: number, env: Readonly<Record<string, string>>, shared: string) {
    super(name, pid, env);
    this.shared = shared;
  }
}

/** A network namespace on a host, held by a process as any client of the manager would hold it. */
export class Guest extends Place {
  readonly #holder: Child;

  constructor(name: string, holder: Child, env: Readonly<Record<string, string>>) {
    super(name, holder.pid, env);
    this.#holder = holder;
  }

  /** Kills the holder; the namespace goes when nobody else is in it. */
  async end(): Promise<void> {
    this.#holder.kill('SIGKILL');
    await this.#holder.exited;
  }
}

/*
 * A holder lives as long as its standard input is open, so it goes with the process that opened it, however that ends.
 * The tmpfs on /run hides the machine's /run/netns and sockets. /sys/class/net shows the namespace of its mount, hence a new one.
 * $TMPDIR may lie below /run, so the shared directory is bound by way of the working directory, which stays what it was.
 */
const BECOME_HOST = `
cd "$1"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p ${SHARED_INSIDE} /run/netns /run/dbus /run/lock
mount --no-canonicalize --bind /proc/self/cwd ${SHARED_INSIDE}
cd /
mount -t sysfs sysfs /sys
hostname "$2"
`;

/* The machine's congestion control is inherited and may be BBR, which paces; every namespace of the lab uses the same, known one. */
const COMMON = `
echo reno > /proc/sys/net/ipv4/tcp_congestion_control
ip link set lo up
echo ready
exec cat > /dev/null
`;

/** Makes a host of the lab whose directory this is. It ends with `clearLab`, or with this process. */
export async function makeHost(
  directory: string,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Host> {
  const shared = join(directory, name);
  mkdirSync(shared);
  chmodSync(shared, 0o755); // whatever the umask: other users of the host pass through it to the bus
  const unshare = ['--net', '--mount', '--uts', '--propagation', 'private', '--'];
  const script = ['sh', '-euc', BECOME_HOST + COMMON, 'host', shared, name];
  const holder = new Child('unshare', [...unshare, ...script], { stdio: 'open', env });
  await holder.line('sign of being ready', isReady);
  recordHolder(directory, holder.pid);
  return new Host(name, holder.pid, env, shared);
}

/** Makes a client process with a network namespace of its own on `host`: loopback and nothing else. */
export async function makeGuest(
  host: Host,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Guest> {
  const holder = host.spawn('unshare', ['--net', '--', 'sh', '-euc', COMMON], { stdio: 'open', env });
  await holder.line('sign of being ready', isReady);
  return new Guest(name, holder, env);
}

function isReady(line: string): true | undefined {
  return line === 'ready' ? true : undefined;
}
