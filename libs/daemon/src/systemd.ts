import type { Cancel, Clock, Logger } from '@pp/base';
import { causeChain, millis } from '@pp/base';

/** The calls of the addon that talking to systemd takes. */
export interface SystemdDoor {
  sendUnixDatagram(path: string, data: Uint8Array, fds?: readonly number[]): void;
  dupFd(fd: number): number;
  closeFd(fd: number): void;
}

/** A descriptor that systemd passed: a socket it listens on, or one that an earlier run put into the store. */
export interface InheritedFd {
  readonly name: string;
  readonly fd: number;
}

/** sd_listen_fds(3): the first passed descriptor. */
const LISTEN_FDS_START = 3;

/** What the service manager said in the environment; read once, for our pid only, and not handed on to children. */
export interface SystemdEnv {
  readonly notifySocket: string | undefined;
  readonly watchdogUsec: number | undefined;
  readonly passedFds: readonly InheritedFd[];
}

/** Reads and removes the variables of sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3). */
export function takeSystemdEnv(env: NodeJS.ProcessEnv, pid: number): SystemdEnv {
  const take = (name: string): string | undefined => {
    const value = env[name];
    Reflect.deleteProperty(env, name);
    return value === '' ? undefined : value;
  };
  const notifySocket = take('NOTIFY_SOCKET');
  const watchdogPid = take('WATCHDOG_PID') ?? String(pid);
  const watchdogUsec = Number(take('WATCHDOG_USEC') ?? Number.NaN);
  const listenPid = take('LISTEN_PID');
  const count = Number(take('LISTEN_FDS') ?? 0);
  const names = take('LISTEN_FDNAMES')?.split(':') ?? [];
  return {
    notifySocket,
    watchdogUsec: watchdogPid === String(pid) && watchdogUsec > 0 ? watchdogUsec : undefined,
    passedFds: listenPid === String(pid) && Number.isInteger(count) ? passedFds(count, names) : [],
  };
}

function passedFds(count: number, names: readonly string[]): readonly InheritedFd[] {
  return Array.from({ length: count }, (_, place) => ({
    name: names[place] ?? 'unknown',
    fd: LISTEN_FDS_START + place,
  }));
}

/** Tells the service manager how we are. Silent where there is none; a message that does not get through is logged and no fault. */
export class Systemd {
  readonly #env: SystemdEnv;
  readonly #door: SystemdDoor;
  readonly #log: Logger;

  constructor(env: SystemdEnv, door: SystemdDoor, log: Logger) {
    this.#env = env;
    this.#door = door;
    this.#log = log;
  }

  ready(): void {
    this.#send('READY=1');
  }

  stopping(): void {
    this.#send('STOPPING=1');
  }

  /** One line for `systemctl status`. */
  status(line: string): void {
    this.#send(`STATUS=${line.replaceAll('\n', ' ')}`);
  }

  /**
   * Gives systemd a duplicate of `fd` to keep over restarts, under a name without colon (FileDescriptorStoreMax= must allow it). It is
   * kept whatever happens at its other end: we watch that ourselves.
   */
  storeFd(name: string, fd: number): void {
    this.#send(`FDSTORE=1\nFDNAME=${name}\nFDPOLL=0`, [fd]);
  }

  removeFd(name: string): void {
    this.#send(`FDSTOREREMOVE=1\nFDNAME=${name}`);
  }

  /** What was passed to us, now the caller's to close and closed on exec. Call it once. */
  inheritedFds(): readonly InheritedFd[] {
    return this.#env.passedFds.map(({ name, fd }) => {
      const own = this.#door.dupFd(fd);
      this.#door.closeFd(fd);
      return { name, fd: own };
    });
  }

  /** Says twice in every watchdog period that the event loop turns. */
  startWatchdog(clock: Clock): Cancel {
    const { watchdogUsec } = this.#env;
    if (watchdogUsec === undefined) return () => undefined;
    const beat = (): void => {
      this.#send('WATCHDOG=1');
      cancel = clock.after('watchdog', millis(watchdogUsec / 2000), beat);
    };
    let cancel: Cancel = () => undefined;
    beat();
    return () => {
      cancel();
    };
  }

  #send(state: string, fds: readonly number[] = []): void {
    const { notifySocket } = this.#env;
    if (notifySocket === undefined) return;
    try {
      this.#door.sendUnixDatagram(notifySocket, new TextEncoder().encode(state), fds);
    } catch (fault) {
      this.#log.warn('notify.failed', { state: state.replaceAll('\n', ' '), error: causeChain(fault) });
    }
  }
}
