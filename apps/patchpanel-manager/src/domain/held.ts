import { SharedMap } from '@pp/base';
import {
  indexSetOf,
  lowestAbsent,
  NO_INDEXES,
  withoutIndexes,
  type IndexSet,
  type PoolKind,
} from '@pp/datapath';
import { count } from './count';
import { guestKey, linksOf, neighborsOf, type Guest } from './guest';

/** What guests and rules hold, kept beside them: an event looks at none but those that it is about, however many there are. */
export interface Held {
  /** By `nameOf`, to the key of the guest that has it. Stable MAC addresses may be of two. */
  readonly names: SharedMap<string, string>;
  /** Numbers of subnets. */
  readonly subnets: Readonly<Record<Pool, IndexSet>>;
  /** N + 1 of each vmtapN. */
  readonly taps: IndexSet;
  /** How many guests and rules, by `tallyOf`; few, for kinds and owners are. */
  readonly tallies: ReadonlyMap<string, number>;
  /** How many port rules lead to the same, by `forwardedPortText`. */
  readonly ports: SharedMap<string, number>;
  /** Keys of DNS redirections by `purposeOf`, the oldest first. */
  readonly dns: SharedMap<string, readonly string[]>;
}

/** ARC keeps account of its own. */
type Pool = Exclude<PoolKind, 'arc'>;

export const NOTHING_HELD: Held = {
  names: SharedMap.of(),
  subnets: { namespace: NO_INDEXES, termina: NO_INDEXES, plugin: NO_INDEXES, lxd: NO_INDEXES },
  taps: NO_INDEXES,
  tallies: new Map(),
  ports: SharedMap.of(),
  dns: SharedMap.of(),
};

/** `link`: of the host; `netns`: the inode of a client's namespace; `neighbor`: an address, as canonical text. */
export const nameOf = (what: 'mac' | 'link' | 'netns' | 'neighbor', which: string | number): string =>
  `${what} ${which}`;

/** Of one owner, or of all. */
export const tallyOf = (what: Guest['kind'] | 'port rule' | 'DNS rule', owner?: number): string =>
  owner === undefined ? what : `${what} ${owner}`;

/** `held` when these guests are gone and then those have come. */
export function heldAfter(held: Held, gone: readonly Guest[], come: readonly Guest[]): Held {
  const freed: string[] = []; // BOUNDED: by the guests, as all here
  const taken: [string, string][] = [];
  const subnets = { ...held.subnets };
  const tallies = new Map(held.tallies);
  let { taps } = held;
  for (const guest of gone) {
    freed.push(...namesOf(guest));
    for (const [pool, index] of subnetsOf(guest)) subnets[pool] = withoutIndexes([index], subnets[pool]);
    for (const index of tapIndexesOf(guest)) taps = withoutIndexes([index], taps);
    countGuest(tallies, guest, -1);
  }
  for (const guest of come) {
    const key = guestKey(guest);
    for (const name of namesOf(guest)) taken.push([name, key]);
    for (const [pool, index] of subnetsOf(guest)) subnets[pool] = indexSetOf([index], subnets[pool]);
    for (const index of tapIndexesOf(guest)) taps = indexSetOf([index], taps);
    countGuest(tallies, guest, 1);
  }
  return {
    names: changedNames(held.names, taken, freed),
    subnets,
    taps,
    tallies,
    ports: held.ports,
    dns: held.dns,
  };
}

/** What is freed and taken again by the same guest is left alone: there may be much of it where little changes. */
function changedNames(
  names: Held['names'],
  taken: readonly (readonly [string, string])[],
  freed: readonly string[],
): Held['names'] {
  if (freed.length === 0 || taken.length === 0) return names.changed(taken, freed);
  const left = new Set(freed);
  const fresh = taken.filter(([name, key]) => !(left.delete(name) && names.get(name) === key));
  return names.changed(fresh, [...left]);
}

function namesOf(guest: Guest): readonly string[] {
  const names = macsOf(guest).map((mac) => nameOf('mac', mac));
  for (const link of linksOf(guest)) names.push(nameOf('link', link));
  for (const { address } of neighborsOf(guest)) names.push(nameOf('neighbor', address));
  if (guest.kind === 'namespace' && guest.client !== null) names.push(nameOf('netns', guest.client.inode));
  return names;
}

function macsOf(guest: Guest): readonly string[] {
  switch (guest.kind) {
    case 'namespace':
      return [guest.hostMac, guest.peerMac];
    case 'termina':
    case 'plugin':
      return [guest.mac];
    case 'arc':
      return [guest.management, ...guest.devices].map(({ mac }) => mac);
  }
}

function tapIndexesOf(guest: Guest): readonly number[] {
  switch (guest.kind) {
    case 'namespace':
      return [];
    case 'termina':
    case 'plugin':
      return [tapIndexOf(guest.tap)];
    case 'arc':
      return guest.container === null
        ? [guest.management.link, ...guest.taps.map(({ tap }) => tap)].map(tapIndexOf)
        : [];
  }
}

const tapIndexOf = (tap: string): number => Number(tap.slice(TAP.length)) + 1;

/** The name of a TAP, before its number. */
const TAP = 'vmtap';

/** The lowest TAPs that no guest has, from the first on, as the kernel itself would number them. */
export function* freeTaps({ taps }: Held): Generator<string, never> {
  for (let taken = taps; ;) {
    const index = lowestAbsent(taken);
    yield `${TAP}${index - 1}`;
    taken = indexSetOf([index], taken);
  }
}

function subnetsOf(guest: Guest): readonly (readonly [Pool, number])[] {
  if (guest.kind === 'arc') return [];
  const own = [guest.kind, guest.subnetIndex] as const;
  return guest.kind === 'namespace' || guest.containers === null
    ? [own]
    : [own, ['lxd', guest.containers.index]];
}

function countGuest(tallies: Map<string, number>, { kind, owner }: Guest, by: 1 | -1): void {
  count(tallies, tallyOf(kind), by);
  count(tallies, tallyOf(kind, owner), by);
}
