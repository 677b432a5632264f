import { Lab, startBus, until, type Bus, type Host } from '@pp/lab';
import { readFileSync } from 'node:fs';
import { millisOf, LineProgram } from './line-program';
import { programPath } from './programs';

/** A machine with one uplink, eth0, by a cable of its own to the sink: no bridge in between, which would cost more than what is measured. */
export interface Machine {
  readonly host: Host;
  /** Address of the sink on this machine's cable; the machine's default route leads there. */
  readonly sink: string;
  /** The machine's address on eth0. */
  readonly address: string;
  /** Name of the cable's end at the sink. */
  readonly cable: string;
}

/** What one run of a figure needs of the lab: machines, and one sink that stands for the Internet. */
export class Bed {
  readonly lab: Lab;
  readonly sink: Host;
  #machines = 0;

  private constructor(lab: Lab, sink: Host) {
    this.lab = lab;
    this.sink = sink;
  }

  static async open(): Promise<Bed> {
    const lab = await Lab.open();
    return new Bed(lab, await lab.host('sink'));
  }

  /** 198.18.0.0/15 is for benchmarks (RFC 2544, RFC 6890). */
  async machine(name: string): Promise<Machine> {
    const host = await this.lab.host(name);
    const number = this.#machines++;
    const [sink, address, cable] = [`198.18.${number}.1`, `198.18.${number}.2`, `cable${number}`];
    await host.shell(`
      ip link add eth0 type veth peer name ${cable} netns ${this.sink.pid}
      ip addr add ${address}/24 dev eth0
      ip link set eth0 up`);
    await this.sink.shell(`ip addr add ${sink}/24 dev ${cable}; ip link set ${cable} up`);
    await host.shell(`ip route add default via ${sink}`);
    return { host, sink, address, cable };
  }

  async bus({ host }: Machine): Promise<Bus> {
    return startBus(host);
  }

  /** Pids of `count` processes, each in a network namespace of its own; they end with the lab. */
  async namespaces(count: number): Promise<readonly number[]> {
    const holder = new LineProgram(this.sink, programPath('hold-namespaces'), [String(count)]);
    return (await holder.next()).split(' ').map(Number);
  }

  async close(): Promise<void> {
    await this.lab.close();
  }
}

/** Names of the links of a machine, read without starting a process. */
export function linksOf({ host }: Machine): readonly string[] {
  const lines = readFileSync(`/proc/${host.pid}/net/dev`, 'utf8').trim().split('\n').slice(2);
  return lines.map((line) => line.slice(0, line.indexOf(':')).trim());
}

/** Milliseconds from `release` being called until the kernel has told of the deletion of `count` links named arc_ns*. */
export async function timeUntilGone(
  { host }: Machine,
  count: number,
  release: () => unknown,
): Promise<number> {
  const watcher = new LineProgram(host, programPath('await-links-gone'), ['arc_ns', String(count)]);
  await watcher.next();
  const start = Number(process.hrtime.bigint()) / 1e6; // CLOCK_MONOTONIC, as the watcher's
  release();
  return millisOf(await watcher.next()) - start;
}

/** Links that have just come up do duplicate address detection for a second or two, and get routes after it. */
export async function settled({ host }: Machine): Promise<void> {
  await until('duplicate address detection is over', async () => {
    return (await host.ok('ip', ['-6', 'addr', 'show', 'tentative'])).trim() === '';
  });
}
