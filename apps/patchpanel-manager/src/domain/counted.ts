import { SharedMap } from '@pp/base';
import type { Messages } from '@pp/proto';
import { guestKey, linksOf, type Guest } from './guest';
import { guestsThatDiffer, type World } from './world';

export type Counted = Messages['CountedState'];

/** Whose traffic is counted: uplinks, those that are awaited too, so that their first packet counts; and the links of guests by guest. */
export const countedOf = ({ uplinks, awaited, guests }: World): Counted => ({
  uplinks: [
    ...uplinks.map(({ ifname, kind }) => ({ ifname, vpn: kind === 'vpn' })),
    ...awaited.map((ifname) => ({ ifname, vpn: false })),
  ],
  links: [...guests.values()].flatMap(countedLinksOf),
});

/** Whether the two differ in it; guests that are the same in both are passed over. */
export function isCountedChanged(from: World, to: World): boolean {
  if (from.uplinks !== to.uplinks || from.awaited !== to.awaited) {
    const uplinksOf = (world: World): string =>
      JSON.stringify(countedOf({ ...world, guests: SharedMap.of() }));
    if (uplinksOf(from) !== uplinksOf(to)) return true;
  }
  return JSON.stringify(linksThatDiffer(from, to)) !== JSON.stringify(linksThatDiffer(to, from));
}

const linksThatDiffer = (world: World, other: World): Counted['links'] =>
  guestsThatDiffer(world, other).flatMap(countedLinksOf);

function countedLinksOf(guest: Guest): Counted['links'] {
  const key = guestKey(guest);
  return linksOf(guest).map((ifname) => ({ ifname, guest: key }));
}
