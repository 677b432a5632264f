import { namespaceNames, namespacePart, uplinksPart, type Desired, type Part } from '@pp/datapath';
import type { Egress, Guest } from './domain/guest';
import type { World } from './domain/world';
import { canForceForwarding, desiredSysctls } from './sysctls';

/** What the kernel should look like in a world; a pure function that remembers, so that a guest's part is made once. */
export class DesiredState {
  readonly #worlds = new WeakMap<World, Desired>();
  /** By guest, for the uplinks that it was made for. */
  readonly #parts = new WeakMap<Guest, { readonly reachable: boolean; readonly part: Part }>();
  readonly #uplinks = new WeakMap<World['uplinks'], Part>();

  of(world: World): Desired {
    const known = this.#worlds.get(world);
    if (known !== undefined) return known;
    const desired = this.#make(world);
    this.#worlds.set(world, desired);
    return desired;
  }

  #make(world: World): Desired {
    const parts = new Map<string, Part>([['uplinks', this.#uplinksPart(world.uplinks)]]);
    for (const [key, guest] of world.guests) parts.set(key, this.#partOf(guest, world));
    return {
      shape: {
        uplinks: world.uplinks.map(({ ifname, ifindex }) => ({ ifname, ifindex })),
        guestPrefixes: world.pools.guestPrefixes,
      },
      sysctls: desiredSysctls(world),
      parts,
    };
  }

  #uplinksPart(uplinks: World['uplinks']): Part {
    const part = this.#uplinks.get(uplinks) ?? uplinksPart(uplinks);
    this.#uplinks.set(uplinks, part);
    return part;
  }

  #partOf(guest: Guest, world: World): Part {
    const reachable = isReachable(guest.egress, world.uplinks);
    const known = this.#parts.get(guest);
    if (known?.reachable === reachable) return known.part;
    const part = partOf(guest, reachable, canForceForwarding(world));
    this.#parts.set(guest, { reachable, part });
    return part;
  }
}

/** Before the first start, and after a clean stop. */
export const NOTHING: Desired = { shape: null, sysctls: new Map(), parts: new Map() };

const isReachable = (egress: Egress, uplinks: World['uplinks']): boolean =>
  egress.kind !== 'uplink' || uplinks.some(({ ifname }) => ifname === egress.ifname);

/** A guest that is pinned to an absent uplink keeps all but its way out. */
function partOf(guest: Guest, reachable: boolean, forceForwarding: boolean): Part {
  return namespacePart({ ...guest, egress: reachable ? guest.egress : { kind: 'nowhere' }, forceForwarding });
}

/** Names under /run/netns that a guest has. */
export const netnsNamesOf = (guest: Guest): readonly string[] => [namespaceNames(guest.number).netns];
