import { seconds, type Millis } from '@pp/base';
import { dropped, type Verdict } from './action';
import type { GroupState } from './group-state';
import { macNumber } from './keys';
import type { Place, Sighting } from './location-table';
import type { Member } from './member';

// What detours tell of where nodes are: it may come of what we passed on ourselves, or of a node that is right here.

/** What a detour has told is good for so long; it is asked for again before it is used. */
const GOOD_FOR = seconds(1);
/** Who was heard itself within this is where it was heard: REACHABLE_TIME, RFC 4861 §10. */
const REACHABLE = seconds(30);

/** Where to send what is for that address; undefined: that is to be asked first. */
export function wayTo(state: GroupState, address: Uint8Array, from: Member, now: Millis): Place | undefined {
  const known = state.table.get(address);
  if (known === undefined || !isByDetour(state, known, now)) return known;
  return known.ifindex === from.link.ifindex || now - known.heardAt >= GOOD_FOR ? undefined : known;
}

/** Who is asked for on a segment answers there, unless a detour has led us to believe that it is there. */
export function leadsBack({ detours }: GroupState, mac: Uint8Array, now: Millis): Verdict {
  detours.suspect(macNumber(mac), 'doubtful', now);
  return dropped('same-segment');
}

/** As it is to be learnt, or null: not at all. A node that was heard itself is believed before any detour. */
export function weigh(state: GroupState, sighting: Sighting, now: Millis): Sighting | null {
  const known = state.table.get(sighting.address);
  if (known === undefined) return sighting;
  if (isByDetour(state, sighting, now)) return wasHeardItself(state, known, now) ? null : sighting;
  return isByDetour(state, known, now) ? { ...sighting, override: true } : sighting;
}

/** It was heard a while ago, and not from a detour. */
export const wasHeardItself = (state: GroupState, known: Place, now: Millis): boolean =>
  now - known.heardAt < REACHABLE && !isByDetour(state, known, now);

const isByDetour = ({ detours }: GroupState, { mac }: Pick<Place, 'mac'>, now: Millis): boolean =>
  detours.areKnown && mac !== null && detours.has(macNumber(mac), now);
