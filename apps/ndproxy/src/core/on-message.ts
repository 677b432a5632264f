import type { Millis } from '@pp/base';
import {
  isMulticast,
  isUnspecified,
  NaFlag,
  type NeighborAdvert,
  type NeighborSolicit,
  type Redirect,
} from '@pp/wire';
import { dropped, FORWARDED, LOCAL, type Verdict } from './action';
import type { GroupState } from './group-state';
import type { Member } from './member';
import { onRouterAdvert } from './on-router-advert';
import { defence } from './our-messages';
import { senderMac, type NdPacket } from './packet';
import { ANY_WAY, passOn } from './pass-on';
import { withOurAddress } from './translate';

/** A message whose frame passed `admit`, by the rules of spec/nd-and-relays.md 2.2. `frame` is the whole of it. */
export function onMessage(
  state: GroupState,
  frame: Uint8Array,
  packet: NdPacket,
  from: Member,
  now: Millis,
): Verdict {
  const { message } = packet;
  switch (message.kind) {
    case 'router-solicit':
      return onRouterSolicit(state, packet, from, now);
    case 'router-advert':
      return onRouterAdvert(state, { frame, packet, advert: message }, from, now);
    case 'neighbor-solicit':
      return onSolicit(state, packet, message, from, now);
    case 'neighbor-advert':
      return onAdvert(state, packet, message, from, now);
    case 'redirect':
      return onRedirect(state, packet, message, from, now);
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

function onSolicit(
  state: GroupState,
  packet: NdPacket,
  { target }: NeighborSolicit,
  from: Member,
  now: Millis,
): Verdict {
  const { ifindex } = from.link;
  learnSource(state, packet, from, now);
  if (isUnspecified(packet.source)) {
    const mac = packet.sourceMac;
    state.learn({ address: target, ifindex, mac, certainty: 'tentative', override: true }, now);
  }
  if (state.isOwnOn(target, ifindex) || state.isOwn(packet.destination)) return LOCAL;
  if (!from.isOpen(now)) return closed(from, now);
  if (state.isOwn(target)) {
    const isRouter = state.settings.mode === 'route' ? NaFlag.router : 0;
    state.originate(from, defence(from.link, packet, target, NaFlag.override | isRouter));
    return LOCAL;
  }
  if (isBareRouter(state, target, now)) {
    state.originate(from, defence(from.link, packet, target, NaFlag.router));
    return LOCAL;
  }
  return passOn(state, packet, from, now);
}

/** A router at the other end of a point-to-point link, which nobody can ask for its link-layer address: we are the way to it. */
const isBareRouter = (state: GroupState, target: Uint8Array, now: Millis): boolean =>
  state.upstream?.link.isPointToPoint === true && state.routers.isCurrent(target, now);

function onAdvert(
  state: GroupState,
  packet: NdPacket,
  { target, flags }: NeighborAdvert,
  from: Member,
  now: Millis,
): Verdict {
  if (state.isOwn(target)) return dropped('na-own-target');
  const override = (flags & NaFlag.override) !== 0;
  const { ifindex } = from.link;
  state.learn({ address: target, ifindex, mac: senderMac(packet), certainty: 'advertised', override }, now);
  if (state.isOwn(packet.destination)) return LOCAL;
  if (!from.isOpen(now)) return closed(from, now);
  return passOn(state, packet, from, now);
}

/** RFC 4389 §4.1.3.4 */
function onRedirect(
  state: GroupState,
  packet: NdPacket,
  { target }: Redirect,
  from: Member,
  now: Millis,
): Verdict {
  if (from.link.role === 'downstream') return dropped('redirect-downstream');
  if (!state.routers.isCurrent(packet.source, now)) return dropped('redirect-router');
  if (state.isOwn(packet.destination)) return LOCAL;
  if (!from.isOpen(now)) return closed(from, now);
  const location = state.table.get(target);
  return passOn(state, packet, from, now, {
    ...ANY_WAY,
    allows: (exit) => exit.link.role === 'downstream',
    rewriteFor: (exit) => {
      if (location === undefined) return { linkAddress: 'remove' };
      if (location.ifindex !== exit.link.ifindex) return withOurAddress(exit.link);
      return { linkAddress: location.mac ?? 'remove' };
    },
  });
}

/** A message of this host's own kernel (RFC 4389 §4.2): the other segments hear its solicitations and announcements as well. */
export function onOutgoing(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  const { message, destination } = packet;
  if (message.kind !== 'neighbor-solicit' && message.kind !== 'neighbor-advert') return LOCAL;
  if (!isMulticast(destination) || !from.isOpen(now)) return LOCAL;
  if (message.kind === 'neighbor-solicit') {
    const isHere = state.table.get(message.target)?.ifindex === from.link.ifindex;
    if (isHere || (state.isOwn(message.target) && !isUnspecified(packet.source))) return LOCAL;
  }
  const verdict = passOn(state, packet, from, now);
  return verdict.is === 'forwarded' ? FORWARDED : LOCAL;
}

/** RFC 4861 §7.2.3: who asks may be answered. */
function learnSource(state: GroupState, packet: NdPacket, from: Member, now: Millis): void {
  const { source: address } = packet;
  const { ifindex } = from.link;
  state.learn({ address, ifindex, mac: senderMac(packet), certainty: 'used', override: true }, now);
}

const closed = (member: Member, now: Millis): Verdict =>
  dropped(member.isDisabled(now) ? 'loop-disabled' : 'gate-closed');
