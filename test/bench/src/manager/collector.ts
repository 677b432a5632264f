import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repository, SHARED_INSIDE, until, type Host } from '@pp/lab';
import { residentMb } from './process';

/** What a process holds after all its garbage has been collected, in MB (10^6 bytes). */
export interface Collected {
  readonly resident: number;
  /** Of V8's heap, what is alive. */
  readonly alive: number;
}

/** V8 gives pages back on threads of its own, shortly after a collection. */
const GIVING_BACK_MS = 50;

/** Makes the manager collect its garbage when asked, by a file that node loads before it; the manager itself is what is shipped. */
export class Collector {
  readonly #told: string;

  constructor(host: Host) {
    this.#told = join(host.shared, 'collected');
  }

  /** For the environment of the manager. */
  get env(): Readonly<Record<string, string>> {
    const preload = repository('test', 'bench', 'src', 'manager', 'collect-on-signal.cjs');
    return { NODE_OPTIONS: `--require ${preload}`, BENCH_COLLECTED: `${SHARED_INSIDE}/collected` };
  }

  async collect(pid: number): Promise<Collected> {
    writeFileSync(this.#told, '');
    process.kill(pid, 'SIGUSR2');
    const text = await until('the manager has collected its garbage', () => {
      const told = readFileSync(this.#told, 'utf8');
      return told.endsWith('}') ? told : undefined;
    });
    await delay(GIVING_BACK_MS);
    const { heapUsed } = JSON.parse(text) as NodeJS.MemoryUsage;
    return { resident: residentMb(pid), alive: heapUsed / 1e6 };
  }
}
