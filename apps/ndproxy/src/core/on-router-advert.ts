import type { Millis } from '@pp/base';
import { isMulticast, RaFlag, type NdRewrite } from '@pp/wire';
import { dropped, FORWARDED, type Verdict } from './action';
import { admit, CHECKED_BEFORE } from './admit';
import type { GroupState, UpstreamRouters } from './group-state';
import type { Member, MemberLink } from './member';
import { DESTINATION_AT, RA_FLAGS_AT, type NdPacket } from './packet';
import { passOn } from './pass-on';
import type { KnownRouter } from './routers';
import { advertRewrite, replayAdvert, retraction } from './translate';

/** RFC 4389 §4.1.3.3, with the loop policies of spec/nd-and-relays.md 5. */
export function onRouterAdvert(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  if (from.link.role === 'downstream') return onDownstream(state, from, now);
  if (((packet.frame[RA_FLAGS_AT] ?? 0) & RaFlag.proxy) !== 0 && state.settings.loopPolicy !== 'nested')
    return onProxied(state, from, now);
  if (state.settings.switches.dropSigned && packet.isSignedInVain) return dropped('signed'); // nor is it sent again
  const { ifindex } = from.link;
  const { senderMac: mac } = packet;
  state.learn({ address: packet.source, ifindex, mac, certainty: 'advertised', override: true }, now);
  if (state.lost !== null && state.routers.isElsewhere(packet, now)) retractPrefixes(state, state.lost, now);
  for (const prefix of state.routers.learn(packet, now))
    for (const location of state.table.entries()) state.suggest(location, prefix, now);
  state.lost = null;
  state.routerSolicits = { left: 0, dueAt: Infinity };
  if (state.isOwn(packet.destination)) {
    replayToAll(state, now); // it answers our own question, which was asked for the downstreams
    return FORWARDED;
  }
  if (state.settings.switches.raMulticast && !isMulticast(packet.frame, DESTINATION_AT))
    return spread(state, packet, from, now);
  return passOn(state, packet, from, now, {
    allows: (exit) => exit.link.role === 'downstream',
    rewriteFor: (exit) => advertRewrite(state.settings, from.link, exit.link),
    pastGates: true, // which it opens
    onSent: (exit) => {
      if (isMulticast(packet.frame, DESTINATION_AT)) countAdvert(state, exit, now);
      else if (!exit.isGateOpen(now)) exit.gate.repeatAt = now; // one host alone has heard it
    },
  });
}

/** To all nodes instead of the one that it was for. */
function spread(state: GroupState, packet: NdPacket, from: Member, now: Millis): Verdict {
  let outcome: Verdict = dropped('no-exit');
  for (const exit of state.downstreams()) {
    if (exit.isDisabled(now)) continue;
    const rewrite = advertRewrite(state.settings, from.link, exit.link);
    state.send(exit, replayAdvert(packet, exit.link, rewrite));
    countAdvert(state, exit, now);
    outcome = FORWARDED;
  }
  return outcome;
}

function onDownstream(state: GroupState, from: Member, now: Millis): Verdict {
  if (state.settings.loopPolicy === 'rfc') disable(state, from, now);
  return dropped('ra-downstream');
}

/** Another proxy is between us and the router. */
function onProxied(state: GroupState, from: Member, now: Millis): Verdict {
  if (state.settings.loopPolicy === 'rfc') disable(state, from, now);
  else {
    state.disabledUntil = now + state.settings.limits.loopDisable;
    state.tell('loop.detected', { ifname: from.link.ifname, minutes: minutes(state) });
  }
  return dropped('ra-proxied');
}

function disable(state: GroupState, member: Member, now: Millis): void {
  if (!member.isDisabled(now))
    state.tell('loop.detected', { ifname: member.link.ifname, minutes: minutes(state) });
  member.disabledUntil = now + state.settings.limits.loopDisable;
}

const minutes = (state: GroupState): number => state.settings.limits.loopDisable / 60_000;

function countAdvert(state: GroupState, exit: Member, now: Millis): void {
  const { gate } = exit;
  const { gateAdverts, gateRepeat, gateQuiet } = state.settings.limits;
  if (exit.isGateOpen(now)) return;
  gate.adverts += 1;
  gate.isOpen = gate.adverts >= gateAdverts;
  gate.repeatAt = gate.isOpen ? Infinity : now + gateRepeat;
  gate.opensAt = now + gateQuiet;
}

/** Sends what upstream routers said a moment ago to a downstream once more. */
export function replayAdverts(state: GroupState, exit: Member, now: Millis): void {
  exit.gate.repeatAt = Infinity;
  const { upstream } = state;
  if (upstream === undefined || exit.isDisabled(now) || state.isDisabled(now)) return;
  for (const router of state.routers.all()) {
    if (now - router.heardAt > state.settings.limits.freshAdvert) continue;
    const lifetimeSec = Math.max(0, Math.floor((router.until - now) / 1000)); // never extended
    const rewrite = advertRewrite(state.settings, upstream.link, exit.link);
    sendAgain(state, router, exit, { ...rewrite, lifetimeSec });
    countAdvert(state, exit, now);
  }
}

function replayToAll(state: GroupState, now: Millis): void {
  for (const exit of state.downstreams()) replayAdverts(state, exit, now);
}

/** The upstream is gone: its routers are no way out any more (the idea of RFC 9096). Their prefixes may come back with it. */
export function retractRouters(state: GroupState, upstream: Member, now: Millis): void {
  const routers = state.routers.all();
  if (routers.length > 0) state.lost = { link: upstream.link, routers };
  for (const exit of state.downstreams()) {
    if (exit.isDisabled(now)) continue;
    const rewrite = { ...advertRewrite(state.settings, upstream.link, exit.link), lifetimeSec: 0 };
    for (const router of routers) sendAgain(state, router, exit, rewrite);
  }
  state.routers.forgetRouters();
}

/** An upstream comes in the place of another that is gone: the prefixes of that one will not come back. */
export function retractLost(state: GroupState, { ifname }: MemberLink, now: Millis): void {
  const { lost } = state;
  if (lost !== null && lost.link.ifname !== ifname) retractPrefixes(state, lost, now);
}

function retractPrefixes(state: GroupState, lost: UpstreamRouters, now: Millis): void {
  state.lost = null;
  state.routers.forgetPrefixes();
  for (const exit of state.downstreams()) retract(state, lost, exit, now);
}

/** A downstream leaves: what it was told of routers and prefixes holds no more, also where the upstream went before it. */
export function retractFrom(state: GroupState, exit: Member, now: Millis): void {
  const { upstream, lost, routers } = state;
  if (state.isDisabled(now)) return;
  if (lost !== null) retract(state, lost, exit, now);
  else if (upstream !== undefined) retract(state, { link: upstream.link, routers: routers.all() }, exit, now);
}

function retract(state: GroupState, { link, routers }: UpstreamRouters, exit: Member, now: Millis): void {
  if (exit.isDisabled(now)) return;
  const rewrite = retraction(state.settings, link, exit.link);
  for (const router of routers) sendAgain(state, router, exit, rewrite);
}

function sendAgain(state: GroupState, { frame }: KnownRouter, exit: Member, rewrite: NdRewrite): void {
  const admitted = admit(frame, CHECKED_BEFORE);
  if (admitted.ok) state.originate(exit, replayAdvert(admitted.packet, exit.link, rewrite));
}
