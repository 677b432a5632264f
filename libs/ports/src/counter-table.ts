import type { CountingSet } from '@pp/datapath';

/** What one element of a counting set has counted since its run began. */
export interface CountedElement extends CountedKey {
  /** `countedKeyText` of the rest: what the same element is found by in the next reading. */
  readonly key: string;
  readonly bytes: bigint;
  readonly packets: bigint;
}

/** What an element counts. */
export interface CountedKey {
  readonly set: CountingSet;
  /** The uplink; in the guests' sets the guest's link. */
  readonly ifname: string;
  /** In the guests' sets the uplink. */
  readonly uplink: string;
  /** The source bits of the mark. */
  readonly mark: number;
  readonly family: 4 | 6;
}

/** Names of interfaces have no blanks. */
export const countedKeyText = ({ set, ifname, uplink, mark, family }: CountedKey): string =>
  `${set} ${ifname} ${uplink} ${mark} ${family}`;

/** What found no place in a full set, since the table was made. */
export interface Missed {
  readonly uplinks: bigint;
  readonly guests: bigint;
}

export interface CounterReading {
  readonly elements: readonly CountedElement[];
  /** Packets; null where only uplinks were read. */
  readonly missed: Missed | null;
}

/** What the table shall be. */
export interface CounterTableWish {
  /** Counters of another run start from zero. */
  readonly run: string;
  readonly size: number;
  readonly counted: readonly string[];
}

/** The kernel's traffic counters: `table inet patchpanel_counters`. Each rejects with a KernelError. */
export interface CounterTable {
  /** The run whose sets are all there, or null. */
  findRun(): Promise<string | null>;
  /** Makes the table, or whatever of it is missing; elements of this run keep their values, those of other runs are gone. */
  install(wish: CounterTableWish): Promise<void>;
  /** Whether the table is as `install` made it. */
  isIntact(wish: CounterTableWish): Promise<boolean>;
  /** null: there is no such run in the kernel any more. `uplinks`: their sets only, which takes half of the time. */
  read(run: string, what?: 'all' | 'uplinks'): Promise<CounterReading | null>;
  /** Deletes elements, so that their places are free. Those that are gone already are passed over. */
  forget(run: string, elements: readonly CountedElement[]): Promise<void>;
  /** Deletes the table; one that is gone already is nothing. */
  remove(): Promise<void>;
  /** Tells when something of the table was deleted, by whomever, until the returned function is called. */
  watch(onDeletion: () => void): Promise<() => void>;
  close(): void;
}
