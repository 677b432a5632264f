import { SharedMap } from '@pp/base';
import { indexSetOf, NO_INDEXES, withoutIndexes, type IndexSet, type PoolKind } from '@pp/datapath';
import { guestKey, linksOf, neighborsOf, type Guest } from './guest';

/** What guests and rules hold, kept beside them: an event looks at none but those that it is about, however many there are. */
export interface Held {
  /** By `nameOf`, to the key of the guest that has it. Stable MAC addresses may be of two. */
  readonly names: SharedMap<string, string>;
  /** Numbers of subnets. */
  readonly subnets: Readonly<Record<Pool, IndexSet>>;
  /** How many guests and rules, by `tallyOf`; and how many rules have the same port, by `forwardedPortText`. */
  readonly tallies: SharedMap<string, number>;
  /** Keys of DNS redirections by `purposeOf`, the oldest first. */
  readonly dns: SharedMap<string, readonly string[]>;
}

/** ARC keeps account of its own. */
type Pool = Exclude<PoolKind, 'arc'>;

export const NOTHING_HELD: Held = {
  names: SharedMap.of(),
  subnets: { namespace: NO_INDEXES, termina: NO_INDEXES, plugin: NO_INDEXES, lxd: NO_INDEXES },
  tallies: SharedMap.of(),
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
  const freed = new Map<string, string>(); // BOUNDED: by the guests, as all here
  const taken: [string, string][] = [];
  const subnets = { ...held.subnets };
  for (const guest of gone) {
    const key = guestKey(guest);
    for (const name of namesOf(guest)) freed.set(name, key);
    for (const [pool, index] of subnetsOf(guest)) subnets[pool] = withoutIndexes([index], subnets[pool]);
  }
  for (const guest of come) {
    const key = guestKey(guest);
    for (const name of namesOf(guest)) {
      if (freed.get(name) !== key) taken.push([name, key]);
      freed.delete(name);
    }
    for (const [pool, index] of subnetsOf(guest)) subnets[pool] = indexSetOf([index], subnets[pool]);
  }
  return {
    ...held,
    names: held.names.changed(taken, [...freed.keys()]),
    subnets,
    tallies: counted(held.tallies, gone.flatMap(talliesOf), come.flatMap(talliesOf)),
  };
}

/** `held` with one less of each of `gone`, then one more of each of `come`: tallies of rules. */
export const tallied = (held: Held, gone: readonly string[], come: readonly string[]): Held => ({
  ...held,
  tallies: counted(held.tallies, gone, come),
});

const namesOf = (guest: Guest): readonly string[] => [
  ...macsOf(guest).map((mac) => nameOf('mac', mac)),
  ...linksOf(guest).map((link) => nameOf('link', link)),
  ...bridgedTapsOf(guest).map((tap) => nameOf('link', tap)),
  ...(guest.kind === 'namespace' && guest.client !== null ? [nameOf('netns', guest.client.inode)] : []),
  ...neighborsOf(guest).map(({ address }) => nameOf('neighbor', address)),
];

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

/** Of an Android VM. */
const bridgedTapsOf = (guest: Guest): readonly string[] =>
  guest.kind === 'arc' && guest.container === null
    ? [guest.management.link, ...guest.taps.map(({ tap }) => tap)]
    : [];

function subnetsOf(guest: Guest): readonly (readonly [Pool, number])[] {
  if (guest.kind === 'arc') return [];
  const own = [guest.kind, guest.subnetIndex] as const;
  return guest.kind === 'namespace' || guest.containers === null
    ? [own]
    : [own, ['lxd', guest.containers.index]];
}

const talliesOf = ({ kind, owner }: Guest): readonly string[] => [tallyOf(kind), tallyOf(kind, owner)];

function counted(
  tallies: Held['tallies'],
  gone: readonly string[],
  come: readonly string[],
): Held['tallies'] {
  const counts = new Map<string, number>();
  const add = (tally: string, by: number): unknown =>
    counts.set(tally, (counts.get(tally) ?? tallies.get(tally) ?? 0) + by);
  for (const tally of gone) add(tally, -1);
  for (const tally of come) add(tally, 1);
  const all = [...counts];
  return tallies.changed(
    all.filter(([, count]) => count > 0),
    all.filter(([, count]) => count <= 0).map(([tally]) => tally),
  );
}
