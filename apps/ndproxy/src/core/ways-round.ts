import type { Millis } from '@pp/base';
import { NdOptionType } from '@pp/wire';
import type { GroupState } from './group-state';
import { macNumber } from './keys';
import type { Member, MemberLink } from './member';
import { detourQuestion } from './our-messages';
import { SOURCE_MAC_AT, type NdPacket } from './packet';
import { isAskable } from './pass-on';
import type { Passage } from './recent-copies';

// Two bridges side by side, or a ring of several, make segments reachable by more ways than one. Hop limits are not counted (RFC 4389
// §4.1), so nothing but memory ends a circle; and what a bridge learns from another's copies leads into one.

/** Whether it is to be dropped as one that came round; wherever that may be so, the way round will be looked for. */
export function hasLooped(state: GroupState, passage: Passage, sender: number, now: Millis): boolean {
  if (passage === 'new' || passage === 'again') return false;
  state.detours.suspect(sender, passage === 'looped' ? passage : 'doubtful', now);
  return passage !== 'doubtful';
}

/** Asks each segment a question that has no answer: who brings it to another is a detour. */
export function lookForDetours(state: GroupState, now: Millis): void {
  state.detours.looked(now);
  for (const exit of state.members.values())
    if (isAskable(exit, now) && exit.linkLocal !== null)
      state.originate(exit, detourQuestion(exit.link, exit.linkLocal, markOf(exit.link)));
}

/** Six bytes that say which of our segments it was asked on: the shortest nonce, RFC 3971 §5.3.2. Bridges may have one address on all. */
const markOf = ({ mac, ifindex }: MemberLink): Uint8Array =>
  Uint8Array.of(...mac.subarray(2), ifindex >>> 8, ifindex);

/** A message with a source of ours has come in: is it such a question, from another segment? */
export function noticeDetour(state: GroupState, packet: NdPacket, from: Member, now: Millis): void {
  const { frame } = packet;
  const at = packet.optionAt(NdOptionType.nonce);
  if (at < 0) return;
  const mark = macNumber(frame, at + 2);
  for (const member of state.members.values())
    if (member !== from && macNumber(markOf(member.link)) === mark)
      state.detours.add(macNumber(frame, SOURCE_MAC_AT), now);
}
