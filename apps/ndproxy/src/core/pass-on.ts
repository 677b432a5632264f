import type { Millis } from '@pp/base';
import { ETHERNET_HEADER, isMulticast } from '@pp/wire';
import { dropped, FORWARDED, QUEUED, type Verdict } from './action';
import type { GroupState } from './group-state';
import type { Member } from './member';
import { solicitation } from './our-messages';
import { DESTINATION_AT, type NdPacket } from './packet';
import type { Waiting } from './pending';
import { isAboutProxied } from './policy';
import { OUR_ADDRESS, translate, type Rewrite } from './translate';
import { leadsBack, wayTo } from './way-to';

/** Where a message may go, and how it is changed on the way. */
export interface Way {
  readonly allows: (exit: Member) => boolean;
  readonly rewriteFor: (exit: Member) => Rewrite;
  /** It also passes gates that are closed. */
  readonly pastGates: boolean;
  readonly onSent: (exit: Member) => void;
}

/** To every other member, with our own Ethernet address in the place of the sender's. */
export const ANY_WAY: Way = {
  allows: () => true,
  rewriteFor: () => OUR_ADDRESS,
  pastGates: false,
  onSent: () => undefined,
};

/** To all other segments, or to that of its destination. */
export function passOn(
  state: GroupState,
  packet: NdPacket,
  from: Member,
  now: Millis,
  way: Way = ANY_WAY,
): Verdict {
  const { switches, policy } = state.settings;
  if (!isAboutProxied(policy, packet)) return dropped('prefix');
  if (switches.dropSigned && packet.isSignedInVain) return dropped('signed');
  return isMulticast(packet.frame, DESTINATION_AT)
    ? flood(state, packet, from, now, way)
    : passTo(state, packet, from, now, way);
}

function flood(state: GroupState, packet: NdPacket, from: Member, now: Millis, way: Way): Verdict {
  let outcome: Verdict = dropped('no-exit');
  for (const exit of state.members.values()) {
    if (exit === from || !way.allows(exit) || !isPassable(exit, now, way) || !takes(exit, packet)) continue;
    const sent = sendTo(state, packet, exit, null, way);
    if (outcome !== FORWARDED) outcome = sent ? FORWARDED : dropped('too-big');
  }
  return outcome;
}

/** To where its destination is, or it waits until that is known; never back to where it came from. */
function passTo(state: GroupState, packet: NdPacket, from: Member, now: Millis, way: Way): Verdict {
  const { ifindex, mac = null } = wayTo(state, packet.destination, from, now) ?? { ifindex: 0 };
  const exit = state.members.get(ifindex);
  if (exit === undefined || mac === null) return queue(state, packet, from, now);
  if (exit === from) return leadsBack(state, mac, now);
  if (!way.allows(exit) || !takes(exit, packet)) return dropped('no-exit');
  if (!isPassable(exit, now, way)) return dropped(exit.isDisabled(now) ? 'loop-disabled' : 'gate-closed');
  return sendTo(state, packet, exit, mac, way) ? FORWARDED : dropped('too-big');
}

const isPassable = (exit: Member, now: Millis, { pastGates }: Way): boolean =>
  pastGates ? !exit.isDisabled(now) : exit.isOpen(now);

/** A point-to-point link has no neighbours to discover: only routers are asked there. */
const takes = ({ link }: Member, { kind }: NdPacket): boolean =>
  link.isPointToPoint !== true || kind === 'router-solicit';

/** `destinationMac` null: that of the group. False: larger than the way out takes. */
function sendTo(
  state: GroupState,
  packet: NdPacket,
  exit: Member,
  destinationMac: Uint8Array | null,
  way: Way,
): boolean {
  if (packet.frame.length - ETHERNET_HEADER > exit.link.mtu) return false;
  state.send(
    exit,
    translate(packet, exit.link, destinationMac, rewriteFor(exit, way), state.settings.allocate),
  );
  way.onSent(exit);
  return true;
}

const rewriteFor = (exit: Member, way: Way): Rewrite =>
  exit.link.isPointToPoint === true ? { linkAddress: 'remove' } : way.rewriteFor(exit);

function queue(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  const waiting: Waiting = { of: 'nd', frame: packet.frame, ifindex: from.link.ifindex };
  return waitForOwner(state, waiting, packet.destination, from, now);
}

/** RFC 4389 §4.1: nobody knows where the destination is, so it is asked for, and the frame waits. */
export function waitForOwner(
  state: GroupState,
  waiting: Waiting,
  destination: Uint8Array,
  from: Member,
  now: Millis,
): Verdict {
  if (!state.pending.has(destination)) {
    if (!canAsk(state, from, now)) return dropped('no-exit');
    if (!from.solicits.take(now)) return dropped('solicit-rate');
  }
  const mayWait = waiting.frame.length <= state.settings.limits.pendingBytes;
  const outcome = state.pending.add(destination, waiting, mayWait, now);
  if (outcome === 'ask') askFor(state, destination, new Set([waiting.ifindex]), now);
  return outcome === 'full' || !mayWait ? dropped('queue-full') : QUEUED;
}

const canAsk = (state: GroupState, from: Member, now: Millis): boolean =>
  [...state.members.values()].some((exit) => exit !== from && isAskable(exit, now));

/** It can be asked in our own name who is there. */
export const isAskable = (exit: Member, now: Millis): boolean =>
  exit.linkLocal !== null && exit.link.isPointToPoint !== true && exit.isOpen(now);

/** Solicits an address on all segments but the given ones, RFC 4389 §4.1. */
export function askFor(
  state: GroupState,
  address: Uint8Array,
  except: ReadonlySet<number>,
  now: Millis,
): void {
  for (const exit of state.members.values()) {
    if (except.has(exit.link.ifindex) || exit.linkLocal === null || !isAskable(exit, now)) continue;
    state.originate(exit, solicitation(exit.link, exit.linkLocal, address, null));
  }
}
