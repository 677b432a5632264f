import type { Millis } from '@pp/base';
import type { FrameFacts } from '@pp/ports';
import { isLinkLocal } from '@pp/wire';
import { dropped, LOCAL, type Action, type Verdict } from './action';
import { admit, CHECKED_BEFORE } from './admit';
import { bridgeFrame } from './bridge';
import { GroupState, type GroupSettings } from './group-state';
import { macNumber } from './keys';
import { MARK_BYTES, Member, type MemberLink } from './member';
import { onMessage, onOutgoing } from './on-message';
import { replayAdverts, retractFrom, retractLost, retractRouters } from './on-router-advert';
import { OwnAddresses, type OwnAddress } from './own-addresses';
import { SOURCE_AT, SOURCE_MAC_AT, type NdPacket } from './packet';
import { askAgain, askSuspects, probeNeighbors, solicitRouters } from './questions';
import type { Waiting } from './pending';
import { hasMessageLooped, lookForDetours, noticeDetour } from './ways-round';

/** What one frame came to. `packet`: views, valid as long as the frame. */
export interface Step {
  readonly verdict: Verdict;
  readonly packet: NdPacket | null;
  readonly actions: readonly Action[];
}

/**
 * Theory of operation. A group joins the segments of its members into one IPv6 link, for neighbour discovery: every message that
 * comes in on one member goes out on the others under our own Ethernet address (RFC 4389). It never answers from its cache: nodes answer
 * for themselves, through us, but for addresses of this very host. What comes in is not trusted: it is checked (`admit`), counted under
 * one verdict, and remembered only within fixed bounds. Pure: frames, links and time in, actions out.
 */
export class Group {
  readonly state: GroupState;

  constructor(settings: GroupSettings, now: Millis) {
    this.state = new GroupState(settings, now);
  }

  /** A frame that came in on, or left by, a member. It is borrowed. */
  step(ifindex: number, frame: Uint8Array, facts: FrameFacts, now: Millis): Step {
    const { state } = this;
    const admitted = admit(frame, facts);
    const packet = admitted.ok ? admitted.packet : null;
    const verdict = admitted.ok
      ? this.#judge(ifindex, admitted.packet, facts.outgoing, now)
      : dropped(admitted.reason);
    state.counters.count(verdict);
    const member = state.members.get(ifindex);
    if (member !== undefined) member.received += 1;
    this.#release(now);
    return { verdict, packet, actions: state.takeActions() };
  }

  /** A packet that is no neighbour discovery, in bridge mode; it begins with its virtio_net_hdr. It is borrowed. */
  stepData(ifindex: number, frame: Uint8Array, facts: FrameFacts, now: Millis): readonly Action[] {
    const { state } = this;
    const member = state.members.get(ifindex);
    const verdict = member === undefined ? dropped('no-exit') : bridgeFrame(state, frame, facts, member, now);
    state.counters.count(verdict);
    if (member !== undefined) member.received += 1;
    this.#release(now);
    return state.takeActions();
  }

  /** The members that are there and up now, and the addresses of this host. */
  update(links: readonly MemberLink[], addresses: readonly OwnAddress[], now: Millis): readonly Action[] {
    const { state } = this;
    const before = state.upstream;
    this.#setOwn(links, addresses);
    this.#dropMembers(links, now);
    for (const link of links) this.#setMember(link, now);
    this.#setAddresses(addresses);
    if (state.upstream !== undefined && state.upstream !== before) this.#askRouters(now);
    return state.takeActions();
  }

  /** A node is known to be on a segment from before a restart: it is asked at once whether that still holds. */
  restore(address: Uint8Array, ifindex: number, now: Millis): readonly Action[] {
    const { state } = this;
    if (state.members.has(ifindex))
      state.learn({ address, ifindex, mac: null, certainty: 'used', override: true }, now);
    return state.takeActions();
  }

  /** Does what time has made due. */
  tick(now: Millis): readonly Action[] {
    const { state } = this;
    askAgain(state, now);
    for (const exit of state.downstreams()) if (exit.gate.repeatAt <= now) replayAdverts(state, exit, now);
    if (state.routerSolicits.dueAt <= now) solicitRouters(state, now);
    if (state.probesDueAt <= now) probeNeighbors(state, now);
    if (state.suspects.size > 0) askSuspects(state, now);
    if (state.detours.lookDueAt <= now) lookForDetours(state, now);
    return state.takeActions();
  }

  /** When `tick` has something to do, or Infinity. */
  nextDue(): number {
    const { state } = this;
    let due = Math.min(
      state.pending.nextDue(),
      state.routerSolicits.dueAt,
      state.probesDueAt,
      state.suspects.nextDue(),
      state.detours.lookDueAt,
    );
    for (const { gate } of state.members.values()) due = Math.min(due, gate.repeatAt);
    return due;
  }

  #judge(ifindex: number, packet: NdPacket, isOutgoing: boolean, now: Millis): Verdict {
    const { state } = this;
    const from = state.members.get(ifindex);
    if (from === undefined) return dropped('no-exit');
    if (state.isDisabled(now) || from.isDisabled(now)) return dropped('loop-disabled');
    const { frame } = packet;
    if (!isOutgoing && state.ownMacs.has(macNumber(frame, SOURCE_MAC_AT))) return dropped('own-mac');
    if (!isOutgoing && state.isOwn(frame, SOURCE_AT)) {
      noticeDetour(state, packet, from, now);
      return dropped('own-source');
    }
    if (!isMisplaced(packet, from) && hasMessageLooped(state, packet, isOutgoing, from, now))
      return isOutgoing ? LOCAL : dropped('looped');
    return isOutgoing ? onOutgoing(state, packet, from, now) : onMessage(state, packet, from, now);
  }

  /** Messages whose destination was found by what has just been learnt. */
  #release(now: Millis): void {
    const { state } = this;
    for (let address = state.found.pop(); address !== undefined; address = state.found.pop()) {
      for (const waiting of state.pending.take(address)) state.counters.settle(this.#again(waiting, now));
    }
  }

  #again({ of, frame, ifindex }: Waiting, now: Millis): Verdict {
    const from = this.state.members.get(ifindex);
    if (from !== undefined && of === 'data') return bridgeFrame(this.state, frame, CHECKED_BEFORE, from, now);
    const admitted = admit(frame, CHECKED_BEFORE);
    if (!admitted.ok || from === undefined) return dropped('no-exit');
    return onMessage(this.state, admitted.packet, from, now);
  }

  /** A link-local address of an interface that is no member says nothing here: fe80::1 may be its, and the router's. */
  #setOwn(links: readonly MemberLink[], addresses: readonly OwnAddress[]): void {
    const isHere = ({ ifindex, address }: OwnAddress): boolean =>
      !isLinkLocal(address) || links.some((link) => link.ifindex === ifindex);
    this.state.ownAddresses = new OwnAddresses(addresses.filter(isHere));
    this.state.ownMacs = new Set(
      links.filter(({ isPointToPoint }) => isPointToPoint !== true).map(({ mac }) => macNumber(mac)),
    );
  }

  #dropMembers(links: readonly MemberLink[], now: Millis): void {
    const { state } = this;
    for (const [ifindex, member] of state.members)
      if (member.link.role === 'downstream' && !links.some((link) => link.ifindex === ifindex))
        retractFrom(state, member, now);
    for (const [ifindex, member] of state.members) {
      if (links.some((link) => link.ifindex === ifindex && link.role === member.link.role)) continue;
      state.table.forgetInterface(ifindex);
      state.members.delete(ifindex);
      state.suspects.forgetInterface(ifindex);
      if (member.link.role === 'upstream') retractRouters(state, member, now);
    }
  }

  #setMember(link: MemberLink, now: Millis): void {
    const { state } = this;
    const known = state.members.get(link.ifindex);
    if (known !== undefined) {
      known.link = link;
      return;
    }
    const { limits, randomBytes } = state.settings;
    const member = new Member(link, randomBytes(MARK_BYTES), limits, now);
    state.members.set(link.ifindex, member);
    if (link.role === 'upstream') {
      retractLost(state, link, now);
      return;
    }
    replayAdverts(state, member, now);
    if (member.gate.adverts === 0) this.#askRouters(now);
  }

  #setAddresses(addresses: readonly OwnAddress[]): void {
    for (const member of this.state.members.values()) {
      const { ifindex } = member.link;
      const own = addresses.filter((each) => each.ifindex === ifindex && each.usable);
      member.linkLocal = own.find(({ address }) => isLinkLocal(address))?.address ?? null;
      member.global = own.find(({ address }) => !isLinkLocal(address))?.address ?? null;
    }
  }

  /** Asks soon, so that interfaces that come together are served by one answer. */
  #askRouters(now: Millis): void {
    const { routerSolicits } = this.state.settings.limits;
    this.state.routerSolicits = { left: routerSolicits, dueAt: now + 100 };
  }
}

/** It goes to no other segment, and so is not remembered: who says first what a router will say must not make that the copy. */
const isMisplaced = ({ kind }: NdPacket, { link: { role } }: Member): boolean =>
  role === 'upstream' ? kind === 'router-solicit' : kind === 'router-advert' || kind === 'redirect';
