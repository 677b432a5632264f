import { seconds } from '@pp/base';
import { loadNative, type Native, type StreamHandle } from '@pp/native';
import { join } from 'node:path';
import { SHARED_INSIDE, type Host } from '../host';
import { Manager, program, STATE_INSIDE } from '../manager';
import { until } from '../until';

const SOCKET = 'notify';
/** sd_listen_fds(3): LISTEN_PID is that of the process that gets the descriptors; every step to the program is an exec. */
const AS_LISTENER = ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh'];

interface StoredFd {
  readonly name: string;
  readonly fd: number;
  /** systemd forgets a descriptor that hangs up, unless FDPOLL=0 says not to (sd_notify(3)). */
  readonly polled: boolean;
}

/**
 * The manager as a systemd unit with FileDescriptorStoreMax=: listens on NOTIFY_SOCKET, keeps what FDSTORE=1 sends, and passes it to
 * every start. Strict: a notification that systemd would ignore is a fault.
 */
export class ServiceUnit {
  readonly #host: Host;
  readonly #native: Native;
  readonly #socket: StreamHandle;
  #stored: readonly StoredFd[] = []; // BOUNDED: by the namespaces of one test
  /** Other ends of lifelines that `store` made. */
  readonly #far: number[] = [];
  #readies = 0;
  #fault: Error | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#native = loadNative();
    const onError = (fault: Error): void => {
      this.#fault = fault;
    };
    this.#socket = this.#native.adoptStream(this.#native.bindUnixDatagram(join(host.shared, SOCKET)), {
      onData: (data, fds) => {
        this.#notified(new TextDecoder().decode(data), fds);
      },
      onEnd: () => undefined, // an empty datagram says nothing
      onError,
    });
  }

  /** Names of the descriptors in the store, sorted. */
  get stored(): readonly string[] {
    return this.#stored.map(({ name }) => name).sort();
  }

  /** Starts the manager with the store's descriptors; resolves when it has said READY=1. */
  async start(args: readonly string[]): Promise<Manager> {
    this.#dropHungUp();
    const before = this.#readies;
    const fds = this.#stored.map(({ fd }) => fd);
    const env = {
      NOTIFY_SOCKET: `${SHARED_INSIDE}/${SOCKET}`,
      LISTEN_FDS: String(fds.length),
      LISTEN_FDNAMES: this.#stored.map(({ name }) => name).join(':'),
    };
    const options = ['--state-dir', STATE_INSIDE, '--log-format', 'json', '--helpers', 'none'];
    const command = [program('patchpanel-manager'), ...options];
    const [shell = '', ...rest] = [...AS_LISTENER, ...command, ...args];
    const child = this.#host.spawn(shell, rest, { env, fds });
    await until('READY=1', () => this.#readies > before || !child.isRunning, { deadline: seconds(20) });
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#readies === before) throw new Error(`the manager ended before READY=1:\n${child.output()}`);
    return new Manager(child);
  }

  /** Puts in the lifeline of a client that lives, as if the manager had stored it. */
  store(name: string): void {
    const [far, fd] = this.#native.pipe();
    this.#far.push(far);
    this.#stored = [...this.#stored, { name, fd, polled: false }];
  }

  /** Empties the store. */
  forgetAll(): void {
    for (const fd of this.#far.splice(0)) this.#native.closeFd(fd);
    this.#forget(() => true);
  }

  /** As `systemctl stop`: the store goes with the unit. */
  close(): void {
    this.#socket.close();
    this.forgetAll();
  }

  #notified(text: string, fds: readonly number[]): void {
    const state = new Map(text.split('\n').filter(Boolean).map(assignment));
    if (state.get('READY') === '1') this.#readies++;
    const name = state.get('FDNAME');
    if (state.get('FDSTOREREMOVE') === '1') {
      this.#forget((each) => each.name === name);
    } else if (state.get('FDSTORE') === '1') {
      if (!isFdName(name)) this.#fault = new Error(`systemd would not take this name: ${text}`);
      const stored = { name: name ?? 'stored', polled: state.get('FDPOLL') !== '0' };
      this.#stored = [...this.#stored, ...fds.map((fd) => ({ ...stored, fd }))];
    } else if (fds.length > 0) {
      this.#fault = new Error(`descriptors without FDSTORE=1: ${text}`);
    }
  }

  #dropHungUp(): void {
    this.#forget(({ fd, polled }) => {
      const { hangup, error } = this.#native.pollFd(fd);
      return polled && (hangup || error);
    });
  }

  #forget(which: (stored: StoredFd) => boolean): void {
    for (const { fd } of this.#stored.filter(which)) this.#native.closeFd(fd);
    this.#stored = this.#stored.filter((each) => !which(each));
  }
}

function assignment(line: string): [name: string, value: string] {
  const [name = '', ...value] = line.split('=');
  return [name, value.join('=')];
}

/** sd_notify(3): "at most 255 characters" of ASCII "without control characters or ':'". */
function isFdName(name: string | undefined): boolean {
  return name !== undefined && /^[\x20-\x39\x3b-\x7e]{1,255}$/.test(name);
}
