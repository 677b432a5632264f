import { millis, type Cancel, type Clock } from '@pp/base';
import type { GroupMemberships } from '@pp/ports';
import { ALL_ROUTERS, solicitedNodeOf } from '@pp/wire';

/** BOUNDED: on all interfaces; beyond it, and where the kernel refuses, ALLMULTI alone has to do. */
const MAX_GROUPS = 4096;
/** Changes wait this long for others: switches need not know at once, frames do. */
const GATHERING = millis(50);

/** A group as a number: the last 24 bits of a solicited-node group, or all routers. Thousands are remembered. */
const ALL_ROUTERS_NUMBER = 1 << 24;
const GROUPS = 1 << 25;

const numberOf = (address: Uint8Array): number =>
  ((address[13] ?? 0) << 16) | ((address[14] ?? 0) << 8) | (address[15] ?? 0);

function groupOf(number: number): Uint8Array {
  if (number === ALL_ROUTERS_NUMBER) return ALL_ROUTERS;
  const address = new Uint8Array(16);
  address.set([number >>> 16, number >>> 8, number], 13);
  return solicitedNodeOf(address);
}

/** A group on an interface, in one number. */
const keyOf = (ifindex: number, number: number): number => ifindex * GROUPS + number;
const ifindexOf = (key: number): number => Math.floor(key / GROUPS);

/**
 * Joins the solicited-node groups of nodes behind us on every other segment that may have switches (RFC 4861 §7.2.8): those that snoop send
 * us the questions for them. Several addresses may share a group.
 */
export class SolicitedNodeGroups {
  /** How many addresses of others are in each group on each interface. */
  readonly #users = new Map<number, number>();
  /** Of these: not joined yet, or refused. */
  readonly #outside = new Set<number>();
  readonly #changed = new Set<number>(); // BOUNDED: by the groups
  #gathering: Cancel | null = null;
  refused = 0;

  constructor(
    private readonly memberships: GroupMemberships,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#users.size;
  }

  /** All routers: guests ask them. */
  addInterface(ifindex: number): void {
    this.#count(ifindex, ALL_ROUTERS_NUMBER, 1);
  }

  add(address: Uint8Array, ifindexes: readonly number[]): void {
    for (const ifindex of ifindexes) this.#count(ifindex, numberOf(address), 1);
  }

  remove(address: Uint8Array, ifindexes: readonly number[]): void {
    for (const ifindex of ifindexes) this.#count(ifindex, numberOf(address), -1);
  }

  /** The kernel forgot them with the interface, or must. */
  removeInterface(ifindex: number): void {
    for (const key of this.#users.keys()) if (ifindexOf(key) === ifindex) this.#settle(key, 0);
  }

  close(): void {
    this.#gathering?.();
    this.#gathering = null;
    this.#users.clear();
    this.#outside.clear();
    this.memberships.close();
  }

  #count(ifindex: number, group: number, by: 1 | -1): void {
    const key = keyOf(ifindex, group);
    const users = this.#users.get(key);
    if (users !== undefined) this.#users.set(key, Math.max(0, users + by));
    else if (by === 1 && this.#users.size < MAX_GROUPS) {
      this.#users.set(key, 1);
      this.#outside.add(key);
    } else return;
    this.#changed.add(key);
    this.#gathering ??= this.clock.after('ndproxy.memberships', GATHERING, () => {
      this.#gathering = null;
      this.#settleAll();
    });
  }

  #settleAll(): void {
    for (const key of this.#changed) {
      const users = this.#users.get(key);
      if (users !== undefined) this.#settle(key, users);
    }
    this.#changed.clear();
  }

  #settle(key: number, users: number): void {
    const [ifindex, group] = [ifindexOf(key), key % GROUPS];
    const isJoined = !this.#outside.has(key);
    if (users === 0) {
      if (isJoined) this.memberships.leave(ifindex, groupOf(group));
      this.#users.delete(key);
      this.#outside.delete(key);
    } else if (!isJoined) {
      if (this.memberships.join(ifindex, groupOf(group))) this.#outside.delete(key);
      else this.refused += 1;
    }
  }
}
