import { seconds } from '@pp/base';
import { program, until, type Bus, type Child } from '@pp/lab';
import { linksOf, type Bed, type Machine } from '../bed/bed';
import { Client, type Connection } from './client';

export interface ManagerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const COMMON = [
  ...['--state-dir', '/run/patchpanel', '--uplink', 'eth0=ethernet'],
  ...['--log-format', 'json', '--log-level', 'warn'],
  ...['--helpers', 'none'],
];

/** The manager on a machine, with a client. */
export class Manager {
  readonly machine: Machine;
  readonly bus: Bus;
  readonly client: Client;
  /** From starting the program to its name being owned on the bus. */
  readonly startMs: number;
  readonly #child: Child;

  private constructor(machine: Machine, bus: Bus, client: Client, child: Child, startMs: number) {
    this.machine = machine;
    this.bus = bus;
    this.client = client;
    this.#child = child;
    this.startMs = startMs;
  }

  /** On a machine that has no bus yet. */
  static async start(bed: Bed, machine: Machine, options: ManagerOptions = {}): Promise<Manager> {
    return Manager.startOn(machine, await bed.bus(machine), options);
  }

  static async startOn(
    machine: Machine,
    bus: Bus,
    { args = [], env = {} }: ManagerOptions,
  ): Promise<Manager> {
    const client = await Client.open(bus.outside);
    const served = client.served();
    const start = performance.now();
    const child = machine.host.spawn(program('patchpanel-manager'), [...COMMON, ...args], {
      env: { DBUS_SYSTEM_BUS_ADDRESS: bus.inside, ...env },
    });
    const died = child.exited.then(() => {
      throw new Error(`the manager ended:\n${child.output()}`);
    });
    await Promise.race([served, died]);
    died.catch(() => undefined); // it is stopped one day
    const manager = new Manager(machine, bus, client, child, performance.now() - start);
    await client.refusal(); // the name comes before the kernel: the first answer says that both are there
    return manager;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has logged: warnings and worse. */
  get log(): string {
    return this.#child.output();
  }

  connect(pid: number): Promise<Connection> {
    return this.client.connectNamespace(pid);
  }

  /** Connects each, a few at a time. */
  async connectAll(pids: readonly number[]): Promise<readonly Connection[]> {
    const made: Connection[] = [];
    for (let i = 0; i < pids.length; i += 8) {
      made.push(...(await Promise.all(pids.slice(i, i + 8).map((pid) => this.connect(pid)))));
    }
    return made;
  }

  /** Releases, and waits until the links are gone and the kernel has let go of what it holds meanwhile. */
  async release(...connections: readonly Connection[]): Promise<void> {
    for (const connection of connections) connection.release();
    const names = new Set(connections.map(({ hostIfname }) => hostIfname));
    const areGone = (): boolean => !linksOf(this.machine).some((name) => names.has(name));
    await until('released links are gone', areGone, { deadline: seconds(30) }).catch((cause: unknown) => {
      const state = this.#child.isRunning ? 'runs' : 'has ended';
      throw new Error(`the manager ${state} and said: ${this.log}`, { cause });
    });
    await this.machine.host.ok('ip', ['link', 'set', 'lo', 'up']); // needs the lock that a deletion holds beyond unlisting the link
  }

  async stop(): Promise<void> {
    this.client.close();
    const { code, signal } = await this.#child.stop(seconds(20));
    if (code !== 0) throw new Error(`the manager ended by ${signal ?? `exit ${code ?? '?'}`}:\n${this.log}`);
  }
}
