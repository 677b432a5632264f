import type { GroupMemberships } from '@pp/ports';
import { ALL_ROUTERS, solicitedNodeOf } from '@pp/wire';
import { addressKey } from './core/keys';

/** BOUNDED: the kernel allows fewer; beyond it ALLMULTI alone has to do. */
const MAX_GROUPS = 4096;

/**
 * Joins the solicited-node groups of nodes behind us on every other segment (RFC 4861 §7.2.8), so that switches that snoop send us the
 * questions for them. Several addresses may share a group.
 */
export class SolicitedNodeGroups {
  readonly #users = new Map<
    string,
    { readonly ifindex: number; readonly group: Uint8Array; count: number }
  >();
  refused = 0;

  constructor(private readonly memberships: GroupMemberships) {}

  get size(): number {
    return this.#users.size;
  }

  /** All routers: guests ask them. */
  addInterface(ifindex: number): void {
    this.#join(ifindex, ALL_ROUTERS);
  }

  add(address: Uint8Array, ifindexes: readonly number[]): void {
    const group = solicitedNodeOf(address);
    for (const ifindex of ifindexes) this.#join(ifindex, group);
  }

  remove(address: Uint8Array, ifindexes: readonly number[]): void {
    const group = solicitedNodeOf(address);
    for (const ifindex of ifindexes) this.#leave(ifindex, group);
  }

  /** The kernel forgot them with the interface, or must. */
  removeInterface(ifindex: number): void {
    for (const [key, user] of this.#users) {
      if (user.ifindex !== ifindex) continue;
      this.#users.delete(key);
      this.memberships.leave(ifindex, user.group);
    }
  }

  #join(ifindex: number, group: Uint8Array): void {
    const key = `${ifindex}/${addressKey(group)}`;
    const user = this.#users.get(key);
    if (user !== undefined) user.count += 1;
    else if (this.#users.size < MAX_GROUPS && this.memberships.join(ifindex, group))
      this.#users.set(key, { ifindex, group: group.slice(), count: 1 });
    else this.refused += 1;
  }

  #leave(ifindex: number, group: Uint8Array): void {
    const key = `${ifindex}/${addressKey(group)}`;
    const user = this.#users.get(key);
    if (user === undefined) return;
    user.count -= 1;
    if (user.count > 0) return;
    this.#users.delete(key);
    this.memberships.leave(ifindex, group);
  }
}
