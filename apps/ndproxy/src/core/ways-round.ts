import type { Millis } from '@pp/base';
import { isMulticast, isUnspecified, NdOptionType } from '@pp/wire';
import type { DataPacket } from './data-packet';
import type { GroupState } from './group-state';
import { macNumber } from './keys';
import type { Member } from './member';
import { detourQuestion } from './our-messages';
import { DESTINATION_AT, SOURCE_AT, SOURCE_MAC_AT, type NdPacket } from './packet';
import { isAskable } from './pass-on';
import type { Passage } from './recent-copies';
import { wasHeardItself } from './way-to';

// Two bridges side by side, or a ring of several, make segments reachable by more ways than one. Hop limits are not counted (RFC 4389
// §4.1), so nothing but memory ends a circle; and what a bridge learns from another's copies leads into one.

/** Whether a message is to be dropped as one that came round; it is noted. Our own have not, but may have been said by others before. */
export function hasMessageLooped(
  state: GroupState,
  packet: NdPacket,
  isOutgoing: boolean,
  from: Member,
  now: Millis,
): boolean {
  const { frame, kind } = packet;
  const sender = macNumber(frame, SOURCE_MAC_AT);
  if (!isOutgoing && state.detours.areKnown && isMulticast(frame, DESTINATION_AT)) {
    const isDuplicateCheck = kind === 'neighbor-solicit' && isUnspecified(frame, SOURCE_AT);
    if (isEcho(state, isDuplicateCheck ? packet.target : packet.source, sender, from, now)) return true;
  }
  const passage = state.recent.note(packet, from.link.ifindex, now);
  return isOutgoing ? passage === 'looped' : isRound(state, passage, sender, now);
}

/** As of messages. `sender`: its Ethernet address, see macNumber. */
export function hasPacketLooped(
  state: GroupState,
  data: DataPacket,
  sender: number,
  from: Member,
  now: Millis,
): boolean {
  const isToGroup = isMulticast(data.destination);
  if (isToGroup && state.detours.areKnown && isEcho(state, data.source, sender, from, now)) return true;
  const passage = state.recentData.note(data.packet, isToGroup, from.link.ifindex, sender, now);
  return isRound(state, passage, sender, now);
}

/** Wherever it may be so, the way round will be looked for. */
function isRound(state: GroupState, passage: Passage, sender: number, now: Millis): boolean {
  if (passage === 'new' || passage === 'again') return false;
  state.detours.suspect(sender, passage === 'looped' ? passage : 'doubtful', now);
  return passage !== 'doubtful';
}

/** A detour says it to a group, and its source was heard itself on another segment: from there we pass it on ourselves. */
function isEcho(
  state: GroupState,
  source: Uint8Array,
  sender: number,
  { link }: Member,
  now: Millis,
): boolean {
  if (!state.detours.has(sender, now)) return false;
  const known = state.table.get(source);
  return known !== undefined && known.ifindex !== link.ifindex && wasHeardItself(state, known, now);
}

/**
 * Asks each segment a question that has no answer: who brings it to another is a detour. The mark says where it was asked; who has not
 * heard it there cannot make it up, and so not give out another station as a detour.
 */
export function lookForDetours(state: GroupState, now: Millis): void {
  state.detours.looked(now);
  for (const exit of state.members.values())
    if (isAskable(exit, now) && exit.linkLocal !== null)
      state.originate(exit, detourQuestion(exit.link, exit.linkLocal, exit.mark));
}

/** A message with a source of ours has come in: is it such a question, from another segment? */
export function noticeDetour(state: GroupState, packet: NdPacket, from: Member, now: Millis): void {
  const { frame } = packet;
  const at = packet.optionAt(NdOptionType.nonce);
  if (at < 0) return;
  const mark = macNumber(frame, at + 2);
  const isOurs = (member: Member): boolean => member !== from && macNumber(member.mark) === mark;
  const origin = [...state.members.values()].find(isOurs);
  if (origin === undefined) return;
  const station = macNumber(frame, SOURCE_MAC_AT);
  const way = { from: origin.link.ifname, to: from.link.ifname };
  if (!state.detours.has(station, now)) state.tell('detour.found', way);
  state.detours.add(station, way, now);
}
