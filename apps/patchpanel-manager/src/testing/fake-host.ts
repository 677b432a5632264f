import { accept } from '@pp/base';
import { MemoryLog } from '@pp/base/testing';
import type { Kernel, Op, Outcome } from '@pp/datapath';
import { poolsWith, type Observed } from '@pp/datapath';
import { FakeKernel } from '@pp/datapath/testing';
import { JournalFault, MemoryJournal, type Journal, type JournalChange, type JournalState } from '@pp/ports';
import type { LinkView, NetworkView, ProcessNetns } from '@pp/ports';
import { FakeDescriptors, linkView, ScriptedNews } from '@pp/ports/testing';
import { connectNamespaceMethod } from '../dbus/connect-namespace';
import type { ApiMethod } from '../dbus/api';
import { Manager, type ManagerParts } from '../manager';
import type { FdStore, KeptFd } from '../outlived';

/** The process was killed: nothing that it does from now on has an effect. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * A host whose manager can be killed at any step: right before or right after the n-th journal write or kernel step. What the kernel,
 * the journal's file and the FD store hold outlives it.
 */
export class FakeHost {
  readonly kernel: FakeKernel;
  readonly journal = new MemoryJournal();
  readonly descriptors = new FakeDescriptors();
  readonly log = new MemoryLog();
  readonly store = new Map<string, number>();
  view: NetworkView;
  news: ScriptedNews;
  /** The journal cannot be written. */
  isDiskFull = false;
  /** Steps and journal writes of this run so far. */
  steps = 0;
  #killAt: { readonly step: number; readonly when: 'before' | 'after' } | null = null;
  #dead = false;
  #random = 1;

  constructor(uplinks: readonly string[] = ['eth0', 'eth1']) {
    this.view = viewOf(uplinks);
    this.news = new ScriptedNews(this.view);
    const links = [...new Set(['eth0', 'eth1', ...uplinks])];
    this.kernel = new FakeKernel({
      links: links.map((ifname, i) => ({ ifname, addresses: [`192.168.${77 + i}.2/24`] })),
      sysctls: new Map([
        ['net.ipv4.ip_forward', '0'],
        ['net.ipv4.ip_local_port_range', '32768\t60999'],
        ['net.ipv4.conf.all.rp_filter', '0'],
        ['net.ipv6.conf.default.force_forwarding', '0'],
        ...links.flatMap((ifname): [string, string][] => [
          [`net.ipv6.conf.${ifname}.accept_ra`, '1'],
          [`net.ipv6.conf.${ifname}.force_forwarding`, '0'],
          [`net.ipv4.conf.${ifname}.rp_filter`, '0'],
        ]),
      ]),
    });
  }

  /** Not random at all, so that every run is the same. */
  readonly randomBytes = (n: number): Uint8Array =>
    Uint8Array.from({ length: n }, () => (this.#random = (this.#random * 48271) % 2147483647) & 255);

  /** Every pid is a process of uid 1000 in a namespace of its own. Strict: what is read after `close` is a fault. */
  readonly processNetns: ProcessNetns = {
    open: (pid) => {
      let isClosed = false;
      const read = <T>(fact: T): T => {
        if (isClosed) throw new Error('a namespace was read after it was closed');
        return fact;
      };
      return accept({
        get inode() {
          return read(pid);
        },
        get uid() {
          return read(1000);
        },
        get startTime() {
          return read('1');
        },
        get hasDefaultRoute() {
          return read(false);
        },
        get isHost() {
          return read(false);
        },
        close: () => {
          isClosed = true;
        },
      });
    },
  };

  killAt(step: number, when: 'before' | 'after'): void {
    this.#killAt = { step, when };
  }

  get wasKilled(): boolean {
    return this.#dead;
  }

  /** Nobody is killed any more. */
  spare(): void {
    this.#killAt = null;
  }

  /** A new run of the manager; descriptors of the last one are gone, but for those in the store. */
  manager(more: Partial<Pick<ManagerParts, 'withoutIpv6' | 'pools' | 'later' | 'onRefused'>> = {}): Manager {
    this.steps = 0;
    this.#dead = false;
    this.news = new ScriptedNews(this.view);
    const pools = poolsWith([]);
    if (!pools.ok) throw new Error(pools.sentence);
    return new Manager({
      kernel: this.#mortalKernel(),
      journal: this.#mortalJournal(),
      news: this.news,
      descriptors: this.descriptors,
      processNetns: this.processNetns,
      fdStore: this.#fdStore(),
      observer: { leaving: () => undefined, arrived: () => undefined },
      log: this.log,
      pools: pools.value,
      sessionUser: 1000,
      mostLifelines: 1000,
      uplinks: [],
      randomBytes: this.randomBytes,
      defer: queueMicrotask,
      later: queueMicrotask,
      onRefused: () => undefined,
      ...more,
    });
  }

  /** ConnectNamespace of a manager, as root calls it. */
  connectMethod({ reconciler, watch, hold }: Manager): ApiMethod {
    return connectNamespaceMethod({
      reconciler,
      watch,
      hold,
      descriptors: this.descriptors,
      processNetns: this.processNetns,
      randomBytes: this.randomBytes,
      ownPid: 99,
      defer: queueMicrotask,
    });
  }

  tell(uplinks: readonly string[]): void {
    if (this.#dead) throw new Killed(); // a story is over here, so that the next start sees the host as it was then
    this.view = viewOf(uplinks);
    this.news.tell(this.view);
  }

  #step<T>(act: () => T): T {
    if (this.#dead) throw new Killed();
    this.steps++;
    const hit = this.#killAt?.step === this.steps ? this.#killAt.when : null;
    if (hit !== null) {
      this.#dead = true;
      this.#killAt = null;
    }
    if (hit === 'before') throw new Killed();
    const result = act();
    if (hit === 'after') throw new Killed();
    return result;
  }

  #mortalKernel(): Kernel {
    return {
      apply: async (ops: readonly Op[]): Promise<readonly Outcome[]> => {
        const outcomes: Outcome[] = [];
        for (const op of ops) {
          const refused = outcomes.some((outcome) => outcome !== 'done');
          outcomes.push(
            refused ? 'skipped' : ((await this.#step(() => this.kernel.apply([op])))[0] ?? 'skipped'),
          );
        }
        return outcomes;
      },
      observe: (ask): Promise<Observed> =>
        this.#dead ? Promise.reject(new Killed()) : this.kernel.observe(ask),
    };
  }

  #mortalJournal(): Journal {
    return {
      load: (): JournalState => this.journal.load(),
      begin: (change: JournalChange) => {
        if (this.isDiskFull) throw new JournalFault('the disk is full');
        this.#step(() => {
          this.journal.begin(change);
        });
      },
      commit: () => {
        this.#step(() => {
          this.journal.commit();
        });
      },
      erase: () => {
        this.#step(() => {
          this.journal.erase();
        });
        this.isDiskFull = false; // what was erased has made room
      },
      close: () => undefined,
    };
  }

  #fdStore(): FdStore {
    return {
      storeFd: (name, fd) => this.store.set(name, fd),
      removeFd: (name) => this.store.delete(name),
      inheritedFds: (): readonly KeptFd[] => [...this.store].map(([name, fd]) => ({ name, fd })),
    };
  }
}

function viewOf(uplinks: readonly string[]): NetworkView {
  return {
    links: uplinks.map(link),
    addresses: uplinks.map((ifname) => ({
      ifindex: index(ifname),
      cidr: `192.168.${76 + number(ifname)}.2/24`,
    })),
    routes: uplinks.map((ifname) => ({
      family: 'ipv4',
      dst: '0.0.0.0/0',
      via: `192.168.${76 + number(ifname)}.1`,
      ifindex: index(ifname),
      src: null,
      metric: 100 * number(ifname),
    })),
    markRules: [],
  };
}

const number = (ifname: string): number => Number(ifname.slice(3)) + 1;
const index = (ifname: string): number => number(ifname) + 1;

const link = (ifname: string): LinkView => linkView(index(ifname), ifname, { physical: true });
