import type { Millis } from '@pp/base';
import { ipv6FromBytes, isMulticast, isUnspecified, NaFlag } from '@pp/wire';
import { dropped, FORWARDED, LOCAL, type Verdict } from './action';
import type { GroupState } from './group-state';
import { macNumber } from './keys';
import type { Member } from './member';
import { onRouterAdvert } from './on-router-advert';
import { defence } from './our-messages';
import { DESTINATION_AT, SOURCE_AT, SOURCE_MAC_AT, TARGET_AT, type NdPacket } from './packet';
import { ANY_WAY, passOn } from './pass-on';
import { OUR_ADDRESS } from './translate';

/** A message that passed `admit`, by the rules of spec/nd-and-relays.md 2.2. */
export function onMessage(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  switch (packet.kind) {
    case 'router-solicit':
      return onRouterSolicit(state, packet, from, now);
    case 'router-advert':
      return onRouterAdvert(state, packet, from, now);
    case 'neighbor-solicit':
      return onSolicit(state, packet, from, now);
    case 'neighbor-advert':
      return onAdvert(state, packet, from, now);
    case 'redirect':
      return onRedirect(state, packet, from, now);
  }
}

/** Passes a closed gate too: without it no advertisement would come to open it. */
function onRouterSolicit(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  if (from.link.role === 'upstream') return dropped('rs-upstream');
  learnSource(state, packet, from, now);
  if (state.isOwn(packet.destination)) return LOCAL;
  const { upstream } = state;
  if (upstream === undefined) return dropped('no-exit');
  if (!from.routerSolicits.take(now)) return dropped('rs-rate');
  return passOn(state, packet, from, now, { ...ANY_WAY, allows: (exit) => exit === upstream });
}

function onSolicit(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  const { frame } = packet;
  const { ifindex } = from.link;
  learnSource(state, packet, from, now);
  if (isUnspecified(frame, SOURCE_AT)) {
    const { target: address, sourceMac: mac } = packet;
    state.learn({ address, ifindex, mac, certainty: 'tentative', override: true }, now);
  }
  if (state.ownAddresses.hasOn(ifindex, frame, TARGET_AT)) return LOCAL; // the kernel answers there, and nowhere else
  const isOwn = state.isOwn(frame, TARGET_AT);
  if (!isOwn && state.isOwn(frame, DESTINATION_AT)) return LOCAL;
  if (!from.isOpen(now)) return closed(from, now);
  if (isOwn) {
    const isRouter = state.settings.mode === 'route' ? NaFlag.router : 0;
    state.originate(from, defence(from.link, packet, NaFlag.override | isRouter));
    return LOCAL;
  }
  if (isBareRouter(state, packet, now)) {
    state.originate(from, defence(from.link, packet, NaFlag.router));
    return LOCAL;
  }
  return state.settings.switches.suppress
    ? askOwner(state, packet, from, now)
    : passOn(state, packet, from, now);
}

/** To all segments, unless one is known to have the target. Checks for duplicates go to all: the target may be there twice. */
function askOwner(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  const { frame, target } = packet;
  const isQuestion = isMulticast(frame, DESTINATION_AT) && !isUnspecified(frame, SOURCE_AT);
  const owner = isQuestion ? state.table.reachable(target, now) : undefined;
  if (owner === undefined) return passOn(state, packet, from, now);
  if (owner.ifindex === from.link.ifindex) return dropped('same-segment');
  return passOn(state, packet, from, now, {
    ...ANY_WAY,
    allows: ({ link }) => link.ifindex === owner.ifindex,
  });
}

/** A router at the other end of a point-to-point link, which nobody can ask for its link-layer address: we are the way to it. */
const isBareRouter = (state: GroupState, { target }: NdPacket, now: Millis): boolean =>
  state.upstream?.link.isPointToPoint === true && state.routers.isCurrent(target, now);

function onAdvert(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  const { frame } = packet;
  if (state.isOwn(frame, TARGET_AT)) return dropped('na-own-target');
  const override = (packet.naFlags & NaFlag.override) !== 0;
  const { target: address, senderMac: mac } = packet;
  const { ifindex } = from.link;
  if (isEmptyClaim(state, packet, from)) return dropped('dad-ignored');
  state.learn({ address, ifindex, mac, certainty: 'advertised', override }, now);
  if (state.isOwn(frame, DESTINATION_AT)) return LOCAL;
  if (!from.isOpen(now)) return closed(from, now);
  return passOn(state, packet, from, now);
}

/** Of an address that a node of another segment checks or has, by a station that is known to claim them all. */
function isEmptyClaim(state: GroupState, { frame, target }: NdPacket, { link }: Member): boolean {
  const { dadIgnore } = state.settings.policy;
  if (dadIgnore.size === 0 || !dadIgnore.has(macNumber(frame, SOURCE_MAC_AT))) return false;
  const owner = isMulticast(frame, DESTINATION_AT) ? state.table.get(target) : undefined;
  if (owner === undefined || owner.ifindex === link.ifindex) return false;
  if (state.counters.dropped['dad-ignored'] === undefined)
    state.tell('dad.ignored', { ifname: link.ifname, address: ipv6FromBytes(target) });
  return true;
}

/** RFC 4389 §4.1.3.4 */
function onRedirect(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  if (from.link.role === 'downstream') return dropped('redirect-downstream');
  if (!state.routers.isCurrent(packet.source, now)) return dropped('redirect-router');
  if (state.isOwn(packet.destination)) return LOCAL;
  if (!from.isOpen(now)) return closed(from, now);
  const location = state.table.get(packet.target);
  return passOn(state, packet, from, now, {
    ...ANY_WAY,
    allows: (exit) => exit.link.role === 'downstream',
    rewriteFor: (exit) => {
      if (location === undefined) return { linkAddress: 'remove' };
      if (location.ifindex !== exit.link.ifindex) return OUR_ADDRESS;
      return { linkAddress: location.mac ?? 'remove' };
    },
  });
}

/** A message of this host's own kernel (RFC 4389 §4.2): the other segments hear its solicitations and announcements as well. */
export function onOutgoing(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  const { kind, frame } = packet;
  if (kind !== 'neighbor-solicit' && kind !== 'neighbor-advert') return LOCAL;
  if (!isMulticast(frame, DESTINATION_AT) || !from.isOpen(now)) return LOCAL;
  if (kind === 'neighbor-solicit') {
    const isHere = state.table.get(packet.target)?.ifindex === from.link.ifindex;
    if (isHere || (state.isOwn(frame, TARGET_AT) && !isUnspecified(frame, SOURCE_AT))) return LOCAL;
  }
  const verdict = passOn(state, packet, from, now);
  return verdict.is === 'forwarded' ? FORWARDED : LOCAL;
}

/** RFC 4861 §7.2.3: who asks may be answered. */
function learnSource(state: GroupState, packet: NdPacket, from: Member, now: Millis): void {
  const { source: address, senderMac: mac } = packet;
  const { ifindex } = from.link;
  state.learn({ address, ifindex, mac, certainty: 'used', override: true }, now);
}

const closed = (member: Member, now: Millis): Verdict =>
  dropped(member.isDisabled(now) ? 'loop-disabled' : 'gate-closed');
