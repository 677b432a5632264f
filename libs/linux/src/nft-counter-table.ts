import { KernelError, millis, type Cancel, type Clock, type Logger } from '@pp/base';
import {
  COUNTED_SET,
  COUNTERS_RULES,
  COUNTERS_TABLE,
  COUNTING_KEYS,
  COUNTING_SETS,
  countersTableText,
  countingSetName,
  type CountingSet,
  type MissedCounter,
} from '@pp/datapath';
import type { Native } from '@pp/native';
import {
  batch,
  CountedSet,
  decodeDeletion,
  decodeKey,
  delElements,
  delTable,
  dumpCounters,
  dumpElements,
  dumpNftRules,
  dumpSetNames,
  encodeKey,
  Monitor,
  NetlinkClient,
  netlinkIn,
  NFNLGRP_NFTABLES,
  sameTable,
  type NetlinkRequest,
  type SetRef,
  type TableRef,
} from '@pp/netlink';
import { countedKeyText } from '@pp/ports';
import type {
  CountedElement,
  CountedKey,
  CounterReading,
  CounterTable,
  CounterTableWish,
  Missed,
} from '@pp/ports';
import { hostNetns } from './host-netns';
import { NftRunner } from './nft-runner';

export interface NftCounterTableOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns' | 'pipe' | 'closeFd'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace to work in; default: the process's own. */
  readonly netnsFd?: number;
}

const TABLE: TableRef = { family: 'inet', name: COUNTERS_TABLE };
const NFPROTO_IPV6 = 10;
/** Deletions that belong together come within this time. */
const GATHERING = millis(5);
/** One transaction of deletions fits the kernel's buffers. */
const MAX_FORGOTTEN = 1024;

/** The counters' table by nft(8) for its shape, and by nfnetlink for its counters. */
export class NftCounterTable implements CounterTable {
  readonly #options: NftCounterTableOptions;
  readonly #client: NetlinkClient;
  readonly #nft: NftRunner;
  readonly #sets = new Map(COUNTING_SETS.map((set) => [set, countedSet(set)]));

  constructor(options: NftCounterTableOptions) {
    const { native, clock, netnsFd } = options;
    this.#options = options;
    this.#client = new NetlinkClient(netlinkIn(native, 'netfilter', netnsFd));
    this.#nft = new NftRunner({ native, clock, inHost: hostNetns(native, netnsFd) });
  }

  async findRun(): Promise<string | null> {
    const names = new Set(await this.#setNames());
    const [first] = COUNTING_SETS;
    for (const name of names) {
      const run = name.startsWith(`${first}_`) ? name.slice(first.length + 1) : null;
      if (run !== null && COUNTING_SETS.every((set) => names.has(countingSetName(set, run)))) return run;
    }
    return null;
  }

  async install(wish: CounterTableWish): Promise<void> {
    const wanted = new Set<string>(COUNTING_SETS.map((set) => countingSetName(set, wish.run)));
    const stale = (await this.#setNames()).filter((name) => name !== COUNTED_SET && !wanted.has(name));
    await this.#nft.load(countersTableText(wish, stale), `table.load ${COUNTERS_TABLE}`);
  }

  async isIntact({ run, counted }: CounterTableWish): Promise<boolean> {
    const names = new Set(await this.#setNames());
    if (!COUNTING_SETS.every((set) => names.has(countingSetName(set, run)))) return false;
    const rules = await this.#client.dump(dumpNftRules(TABLE));
    const there = await absentAsNull(this.#client.dump(dumpElements(setRef(COUNTED_SET))));
    const ifnames = new Set((there ?? []).flat().map(({ key }) => decodeKey(['ifname'], key)[0]));
    return (
      rules.length === COUNTERS_RULES &&
      ifnames.size === counted.length &&
      counted.every((name) => ifnames.has(name))
    );
  }

  async read(run: string, what: 'all' | 'uplinks' = 'all'): Promise<CounterReading | null> {
    const wanted = COUNTING_SETS.filter((set) => what === 'all' || set.startsWith('uplink'));
    const [missed, ...sets] = await Promise.all([
      what === 'all' ? this.#missed() : null,
      ...wanted.map((set) => this.#elements(set, run)),
    ]);
    return sets.every((set) => set !== null) ? { elements: joined(sets), missed } : null;
  }

  async forget(run: string, elements: readonly CountedElement[]): Promise<void> {
    for (let from = 0; from < elements.length; from += MAX_FORGOTTEN)
      await this.#forget(run, elements.slice(from, from + MAX_FORGOTTEN));
  }

  async remove(): Promise<void> {
    await absentAsNull(
      this.#client.transaction(batch(() => `table.del ${COUNTERS_TABLE}`, [delTable(TABLE)])),
    );
  }

  async watch(onDeletion: () => void): Promise<() => void> {
    const { native, clock, log, netnsFd } = this.#options;
    let gathering: Cancel | null = null;
    const gather = (): void => {
      gathering ??= clock.after('counters.gather', GATHERING, () => {
        gathering = null;
        onDeletion();
      });
    };
    const monitor = new Monitor<null, TableRef>({
      open: netlinkIn(native, 'netfilter', netnsFd),
      clock,
      subject: { groups: [NFNLGRP_NFTABLES], decode: decodeDeletion, snapshot: () => Promise.resolve(null) },
      onSnapshot: gather, // at the start, and where the kernel dropped events
      onEvent: (table) => {
        if (sameTable(table, TABLE)) gather();
      },
      onFault: (fault) => {
        log.warn('counters.unwatched', { error: fault.message });
      },
    });
    await monitor.start();
    return () => {
      gathering?.();
      monitor.close();
    };
  }

  close(): void {
    this.#client.close();
  }

  async #missed(): Promise<Missed> {
    const counters = await this.#client.dump(dumpCounters(TABLE));
    const packets = (name: MissedCounter): bigint =>
      counters.find((counter) => counter.name === name)?.packets ?? 0n;
    return { uplinks: packets('missed_uplink'), guests: packets('missed_guest') };
  }

  async #setNames(): Promise<readonly string[]> {
    return (await absentAsNull(this.#client.dump(dumpSetNames(TABLE)))) ?? [];
  }

  async #elements(set: CountingSet, run: string): Promise<readonly CountedElement[] | null> {
    const reader = this.#sets.get(set) ?? countedSet(set);
    const shown = await absentAsNull(this.#client.dump(reader.reading(setRef(countingSetName(set, run)))));
    return shown === null ? null : joined(shown);
  }

  /** All at once; where one of them is gone already, one after the other. */
  async #forget(run: string, elements: readonly CountedElement[]): Promise<void> {
    const requests = elements.map((element) => deletion(run, element));
    const whole = batch(() => `element.del ${elements.length}`, requests.flat());
    if ((await absentAsNull(this.#client.transaction(whole).then(() => true))) === true) return;
    for (const request of requests)
      await absentAsNull(this.#client.transaction(batch(() => 'element.del', request)));
  }
}

const setRef = (name: string): SetRef => ({ table: TABLE, name });

/** Thousands of elements: `flat` takes ten times as long. */
const joined = <T>(lists: readonly (readonly T[])[]): readonly T[] => new Array<T>().concat(...lists);

const countedSet = (
  set: CountingSet,
): CountedSet<Omit<CountedElement, 'bytes' | 'packets'>, CountedElement> =>
  new CountedSet({
    keyOf: (bytes) => {
      const key = keyOf(set, bytes);
      return { ...key, key: countedKeyText(key) };
    },
    // Each by its name: copying all of an object takes longer than reading the element.
    elementOf: ({ key, ifname, uplink, mark, family }, bytes, packets) => ({
      key,
      set,
      ifname,
      uplink,
      mark,
      family,
      bytes,
      packets,
    }),
  });

function keyOf(set: CountingSet, key: Uint8Array): CountedKey {
  const fields = decodeKey(COUNTING_KEYS[set], key);
  const names = fields.slice(0, -2).map(String);
  const [mark, protocol] = fields.slice(-2).map(Number);
  const [ifname = '', uplink = ifname] = names;
  return { set, ifname, uplink, mark: mark ?? 0, family: protocol === NFPROTO_IPV6 ? 6 : 4 };
}

function deletion(
  run: string,
  { set, ifname, uplink, mark, family }: CountedElement,
): readonly NetlinkRequest[] {
  const names = COUNTING_KEYS[set].length === 3 ? [ifname] : [ifname, uplink];
  const fields = [...names, String(mark), `ipv${family}`];
  const element = { key: encodeKey(COUNTING_KEYS[set], fields), text: fields.join(' . ') };
  return delElements(setRef(countingSetName(set, run)), [element]);
}

/** null where the kernel has no such thing. */
async function absentAsNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (fault) {
    if (fault instanceof KernelError && fault.code === 'ENOENT') return null;
    throw fault;
  }
}
