import { SharedMap } from '@pp/base';
import { indexSetOf, NO_INDEXES, withoutIndexes, type IndexSet, type PoolKind } from '@pp/datapath';
import { guestKey, type Guest } from './guest';

/** What guests hold and no other may have, kept beside them: a new guest is compared with none of them, however many there are. */
export interface Held {
  /** By `nameOf`, to the key of the guest that has it. Stable MAC addresses may be of two. */
  readonly names: SharedMap<string, string>;
  /** Numbers of subnets. */
  readonly subnets: Readonly<Record<Pool, IndexSet>>;
  /** How many guests, by `tallyOf`; few, for kinds and owners are. */
  readonly tallies: ReadonlyMap<string, number>;
}

/** ARC keeps account of its own. */
type Pool = Exclude<PoolKind, 'arc'>;

export const NOTHING_HELD: Held = {
  names: SharedMap.of(),
  subnets: { namespace: NO_INDEXES, termina: NO_INDEXES, plugin: NO_INDEXES, lxd: NO_INDEXES },
  tallies: new Map(),
};

/** `netns`: the inode of a client's namespace. */
export const nameOf = (what: 'mac' | 'tap' | 'netns', which: string | number): string => `${what} ${which}`;

/** Of one owner, or of all. */
export const tallyOf = (kind: Guest['kind'], owner?: number): string =>
  owner === undefined ? kind : `${kind} ${owner}`;

/** `held` when these guests are gone and then those have come. */
export function heldAfter(held: Held, gone: readonly Guest[], come: readonly Guest[]): Held {
  const freed: string[] = []; // BOUNDED: by the guests, as all here
  const taken: [string, string][] = [];
  const subnets = { ...held.subnets };
  const tallies = new Map(held.tallies);
  for (const guest of gone) {
    freed.push(...namesOf(guest));
    for (const [pool, index] of subnetsOf(guest)) subnets[pool] = withoutIndexes([index], subnets[pool]);
    count(tallies, guest, -1);
  }
  for (const guest of come) {
    const key = guestKey(guest);
    for (const name of namesOf(guest)) taken.push([name, key]);
    for (const [pool, index] of subnetsOf(guest)) subnets[pool] = indexSetOf([index], subnets[pool]);
    count(tallies, guest, 1);
  }
  return { names: held.names.changed(taken, freed), subnets, tallies };
}

function namesOf(guest: Guest): readonly string[] {
  switch (guest.kind) {
    case 'namespace': {
      const macs = [nameOf('mac', guest.hostMac), nameOf('mac', guest.peerMac)];
      return guest.client === null ? macs : [...macs, nameOf('netns', guest.client.inode)];
    }
    case 'termina':
    case 'plugin':
      return [nameOf('mac', guest.mac), nameOf('tap', guest.tap)];
    case 'arc':
      return [
        ...[guest.management, ...guest.devices].map(({ mac }) => nameOf('mac', mac)),
        ...tapsOf(guest).map((tap) => nameOf('tap', tap)),
      ];
  }
}

/** TAPs of a guest. */
function tapsOf(guest: Guest): readonly string[] {
  switch (guest.kind) {
    case 'namespace':
      return [];
    case 'termina':
    case 'plugin':
      return [guest.tap];
    case 'arc':
      return guest.container === null ? [guest.management.link, ...guest.taps.map(({ tap }) => tap)] : [];
  }
}

function subnetsOf(guest: Guest): readonly (readonly [Pool, number])[] {
  if (guest.kind === 'arc') return [];
  const own = [guest.kind, guest.subnetIndex] as const;
  return guest.kind === 'namespace' || guest.containers === null
    ? [own]
    : [own, ['lxd', guest.containers.index]];
}

function count(tallies: Map<string, number>, { kind, owner }: Guest, by: number): void {
  for (const tally of [tallyOf(kind), tallyOf(kind, owner)]) {
    const counted = (tallies.get(tally) ?? 0) + by;
    if (counted > 0) tallies.set(tally, counted);
    else tallies.delete(tally);
  }
}
