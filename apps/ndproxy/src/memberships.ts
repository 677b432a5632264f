import { millis, type Cancel, type Clock } from '@pp/base';
import type { GroupMemberships } from '@pp/ports';
import { ALL_ROUTERS, solicitedNodeOf } from '@pp/wire';
import { addressKey } from './core/keys';

/** BOUNDED: the kernel allows fewer; beyond it ALLMULTI alone has to do. */
const MAX_GROUPS = 4096;
/** Changes wait this long for others: switches need not know at once, frames do. */
const GATHERING = millis(50);

interface Use {
  readonly ifindex: number;
  readonly group: Uint8Array;
  users: number;
  isJoined: boolean;
}

/**
 * Joins the solicited-node groups of nodes behind us on every other segment (RFC 4861 §7.2.8), so that switches that snoop send us the
 * questions for them. Several addresses may share a group.
 */
export class SolicitedNodeGroups {
  readonly #uses = new Map<string, Use>();
  readonly #changed = new Set<string>(); // BOUNDED: by the uses
  #gathering: Cancel | null = null;
  refused = 0;

  constructor(
    private readonly memberships: GroupMemberships,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#uses.size;
  }

  /** All routers: guests ask them. */
  addInterface(ifindex: number): void {
    this.#count(ifindex, ALL_ROUTERS, 1);
  }

  add(address: Uint8Array, ifindexes: readonly number[]): void {
    for (const ifindex of ifindexes) this.#count(ifindex, solicitedNodeOf(address), 1);
  }

  remove(address: Uint8Array, ifindexes: readonly number[]): void {
    for (const ifindex of ifindexes) this.#count(ifindex, solicitedNodeOf(address), -1);
  }

  /** The kernel forgot them with the interface, or must. */
  removeInterface(ifindex: number): void {
    for (const [key, use] of this.#uses) {
      if (use.ifindex !== ifindex) continue;
      use.users = 0;
      this.#settle(key, use);
    }
  }

  close(): void {
    this.#gathering?.();
    this.#gathering = null;
    this.#uses.clear();
    this.memberships.close();
  }

  #count(ifindex: number, group: Uint8Array, by: 1 | -1): void {
    const key = `${ifindex}/${addressKey(group)}`;
    const use = this.#uses.get(key);
    if (use !== undefined) use.users = Math.max(0, use.users + by);
    else if (by === 1 && this.#uses.size < MAX_GROUPS)
      this.#uses.set(key, { ifindex, group: group.slice(), users: 1, isJoined: false });
    else return;
    this.#changed.add(key);
    this.#gathering ??= this.clock.after('ndproxy.memberships', GATHERING, () => {
      this.#gathering = null;
      this.#settleAll();
    });
  }

  #settleAll(): void {
    for (const key of this.#changed) {
      const use = this.#uses.get(key);
      if (use !== undefined) this.#settle(key, use);
    }
    this.#changed.clear();
  }

  #settle(key: string, use: Use): void {
    const { ifindex, group, users, isJoined } = use;
    if (users === 0) {
      if (isJoined) this.memberships.leave(ifindex, group);
      this.#uses.delete(key);
    } else if (!isJoined) {
      use.isJoined = this.memberships.join(ifindex, group);
      if (!use.isJoined) this.refused += 1;
    }
  }
}
