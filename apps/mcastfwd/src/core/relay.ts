import { millis, seconds, type Millis } from '@pp/base';
import { maxWaitSec, MDNS_MAX_PACKET } from '@pp/wire';
import type { InterfacesView } from '@pp/ports';
import type { Action, ExitOutcome, Step } from './action';
import { AddressOwners } from './address-owners';
import { Counters } from './counters';
import type { DropReason } from './drop-reason';
import { MDNS_PORT, type Group } from './group';
import { LoopGuard, payloadHash } from './loop-guard';
import { MdnsMessage } from './mdns';
import { DEFAULT_POLICY, mayGo, type Policy, type Purpose } from './policy';
import { Senders } from './senders';
import { Sessions, type Session } from './sessions';
import { readSsdp, ssdpPayload } from './ssdp';
import { Topology, type Exit, type Link, type Segment } from './topology';
import { Translation } from './translation';
import { TruncatedOrder, type Outgoing } from './truncated';

/** A packet as it came in. `data` is borrowed. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly ifindex: number;
  /** Sender, as text. */
  readonly address: string;
  readonly port: number;
}

/** What a packet is, as far as it matters to passing it on. */
interface Reading {
  readonly purpose: Purpose;
  /** How long answers are passed on to the sender; 0: there are none but to the group. */
  readonly session: Millis;
  readonly payload: (exit: Exit) => Uint8Array | DropReason;
}

/** IPv4 and UDP headers, RFC 6762 §17. */
const HEADERS = 28;
/**
 * Passes multicast packets on between the interfaces of a topology. Pure: packets, time and interfaces in, actions out. Nothing that a
 * packet says makes it remember more than fixed bounds.
 */
export class Relay {
  readonly #counters = new Map<Group, Counters>(); // BOUNDED: by the groups
  readonly #guard = new LoopGuard();
  readonly #sessions: Sessions;
  readonly #truncated = new TruncatedOrder();
  readonly #translation: Translation;
  readonly #mdns: MdnsMessage;
  readonly #senders = new Senders();
  #policy: Policy = DEFAULT_POLICY;
  #topology = new Topology([], { links: [], addresses: [] });
  #actions: Action[] = []; // BOUNDED: by the exits of one packet

  constructor() {
    this.#sessions = new Sessions((session) => this.#actions.push({ do: 'end', session }));
    this.#translation = new Translation(this.#policy);
    this.#mdns = new MdnsMessage({ owners: new AddressOwners(), translation: this.#translation });
  }

  get topology(): Topology {
    return this.#topology;
  }

  get policy(): Policy {
    return this.#policy;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get waiting(): number {
    return this.#truncated.waiting;
  }

  counters(group: Group): Counters {
    const known = this.#counters.get(group);
    if (known !== undefined) return known;
    const counters = new Counters();
    this.#counters.set(group, counters);
    return counters;
  }

  forgetGroup(group: Group): readonly Action[] {
    this.#counters.delete(group);
    this.#sessions.endWhere((session) => session.group === group);
    return this.#taken();
  }

  update(links: readonly Link[], view: InterfacesView, policy: Policy): readonly Action[] {
    this.#policy = policy;
    this.#topology = new Topology(links, view);
    this.#translation.update(policy, this.#topology);
    this.#truncated.clear();
    const { segments } = this.#topology;
    this.#senders.update(this.#topology);
    this.#sessions.endWhere(({ client }) => !segments.has(client.segment.ifindex));
    return this.#taken();
  }

  /** A packet to a group. */
  receive(group: Group, datagram: Datagram, now: Millis): Step {
    const counters = this.counters(group);
    counters.received++;
    const ingress = this.#topology.segments.get(datagram.ifindex);
    const fault = this.#admissible(datagram, ingress);
    if (fault !== null || ingress === undefined) return this.#drop(counters, fault ?? 'not-member');
    const reading = this.#read(group, datagram, ingress, now);
    if (typeof reading === 'string') return this.#drop(counters, reading);
    const looped = this.#looped(group, datagram, ingress, reading.session > 0, now);
    if (looped !== null) return this.#drop(counters, looped);
    const session =
      reading.session > 0 ? this.#session(group, datagram, ingress, reading.session, now) : null;
    return this.#passOn(group, datagram, reading, session, now);
  }

  /** An answer to a session's port. */
  reply(group: Group, sessionId: number, datagram: Datagram, now: Millis): Step {
    const counters = this.counters(group);
    counters.received++;
    const session = this.#sessions.get(sessionId, now);
    if (session === undefined) return this.#drop(counters, 'reply-late');
    const ingress = this.#topology.segments.get(datagram.ifindex);
    const fault = this.#admissible(datagram, ingress);
    if (fault !== null || ingress === undefined) return this.#drop(counters, fault ?? 'not-member');
    if (!session.exits.has(ingress.ifindex)) return this.#drop(counters, 'reply-stray');
    const back = this.#topology
      .exits(ingress.ifindex)
      .find(({ segment }) => segment.ifindex === session.client.segment.ifindex);
    if (back === undefined) return this.#drop(counters, 'not-member');
    const payload = this.#answer(group, session, datagram, ingress, back, now);
    if (typeof payload === 'string') return this.#drop(counters, payload);
    counters.forwarded++;
    this.#actions.push({ do: 'answer', session, payload });
    return this.#step(null, [{ ifname: back.segment.ifname, outcome: outcomeOf(payload, datagram) }]);
  }

  /** Time has passed. */
  tick(now: Millis): readonly Action[] {
    this.#sessions.expire(now);
    this.#release(now);
    return this.#taken();
  }

  nextDue(): number {
    return Math.min(this.#sessions.nextDue, this.#truncated.nextDue);
  }

  #session(group: Group, { address, port }: Datagram, segment: Segment, span: Millis, now: Millis): Session {
    const session = this.#sessions.open(group, { segment, address, port }, span, now);
    if (group.kind === 'mdns') this.#sessions.asks(session, this.#mdns.scan.id);
    return session;
  }

  /** Sender and size; then whose packet it may be. */
  #admissible({ data, ifindex, address }: Datagram, ingress: Segment | undefined): DropReason | null {
    if (ingress === undefined) return 'not-member';
    if (data.length > MDNS_MAX_PACKET - HEADERS) return 'too-big';
    return this.#senders.faultOf(address, ifindex);
  }

  #read(group: Group, datagram: Datagram, ingress: Segment, now: Millis): Reading | DropReason {
    switch (group.kind) {
      case 'mdns':
        return this.#readMdns(group, datagram, ingress, now);
      case 'ssdp': {
        const read = readSsdp(datagram.data, false);
        if (!read.ok) return read.reason;
        const { message } = read;
        const isSearch = message.kind === 'search';
        return {
          purpose: isSearch ? 'query' : 'announcement',
          // UPnP Device Architecture 2.0, §1.3.3: answers come within MX seconds, and networks delay them
          session: isSearch ? seconds(Math.max(group.replySec, maxWaitSec(message) + 2)) : millis(0),
          payload: (exit) => ssdpPayload(datagram.data, message, exit, this.#policy, this.#translation),
        };
      }
      case 'other':
        return { purpose: 'query', session: seconds(group.replySec), payload: () => datagram.data };
    }
  }

  #readMdns(group: Group, { data, port }: Datagram, ingress: Segment, now: Millis): Reading | DropReason {
    const message = this.#mdns;
    const fault = message.read(data, port);
    if (fault !== null) return fault;
    message.learn(ingress.ifindex, now);
    return {
      purpose: message.purpose,
      session: port === MDNS_PORT ? millis(0) : seconds(group.replySec),
      payload: (exit) => message.payloadFor(exit, ingress, this.#policy, false, now),
    };
  }

  #looped(
    group: Group,
    { data, ifindex, address }: Datagram,
    { ifname }: Segment,
    isSession: boolean,
    now: Millis,
  ): DropReason | null {
    const admission = this.#guard.admit(payloadHash(data, seedOf(group)), ifindex, isSession, now);
    if (admission === 'new') return null;
    if (admission !== 'storm-begins') return admission;
    this.#actions.push({
      do: 'tell',
      event: 'storm',
      fields: { group: group.name, ifname, address, silentSec: 10 },
    });
    return 'storm';
  }

  #passOn(group: Group, datagram: Datagram, reading: Reading, session: Session | null, now: Millis): Step {
    const counters = this.counters(group);
    const exits: ExitOutcome[] = []; // BOUNDED: by the exits
    let reason: DropReason | null = null;
    let [isOut, known] = [false, datagram.data];
    for (const exit of this.#topology.exits(datagram.ifindex)) {
      const payload = this.#payload(group, exit, reading);
      const { ifname } = exit.segment;
      if (typeof payload === 'string') {
        reason ??= payload;
        exits.push({ ifname, outcome: payload });
        continue;
      }
      isOut = true;
      if (payload !== known && payload !== datagram.data)
        this.#guard.sent(payloadHash(payload, seedOf(group)), datagram.ifindex, now);
      known = payload;
      exits.push({ ifname, outcome: this.#emit(group, exit, datagram, payload, session, now) });
    }
    if (isOut) counters.forwarded++;
    else return this.#drop(counters, reason ?? 'no-exit', exits);
    return this.#step(null, exits);
  }

  #payload(group: Group, exit: Exit, reading: Reading): Uint8Array | DropReason {
    if (!exit.segment.speaks[group.family]) return 'no-exit';
    if (!mayGo(this.#policy, exit, reading.purpose)) return 'direction';
    return reading.payload(exit);
  }

  #emit(
    group: Group,
    { segment: { ifindex } }: Exit,
    datagram: Datagram,
    payload: Uint8Array,
    session: Session | null,
    now: Millis,
  ): ExitOutcome['outcome'] {
    if (session !== null) {
      this.#sessions.sentBy(session, ifindex);
      this.#actions.push({ do: 'search', session, ifindex, payload });
      return outcomeOf(payload, datagram);
    }
    const send = { do: 'send', group, ifindex, payload } as const;
    const order = group.kind === 'mdns' ? this.#order(send, datagram, now) : 'send';
    if (order !== 'send') return order === 'held' ? 'held' : 'held-full';
    this.#actions.push(send);
    return outcomeOf(payload, datagram);
  }

  /** Known answers of several hosts do not mix at an exit. */
  #order(outgoing: Outgoing, { address, ifindex }: Datagram, now: Millis): 'send' | 'held' | 'full' {
    const { isTruncated, hasKnownAnswers } = this.#mdns;
    if (!isTruncated && !hasKnownAnswers) return 'send';
    if (this.#truncated.nextDue <= now) this.#release(now);
    return this.#truncated.offer(`${ifindex} ${address}`, isTruncated, outgoing, now);
  }

  #release(now: Millis): void {
    for (const outgoing of this.#truncated.due(now)) this.#actions.push({ do: 'send', ...outgoing });
  }

  #answer(
    group: Group,
    session: Session,
    { data, port }: Datagram,
    ingress: Segment,
    back: Exit,
    now: Millis,
  ): Uint8Array | DropReason {
    switch (group.kind) {
      case 'mdns': {
        const fault = this.#mdns.read(data, port);
        if (fault !== null) return fault;
        if (!this.#mdns.isResponse || !this.#sessions.hasAsked(session, this.#mdns.scan.id))
          return 'reply-stray';
        return this.#mdns.payloadFor(back, ingress, this.#policy, true, now);
      }
      case 'ssdp': {
        const read = readSsdp(data, true);
        return read.ok ? ssdpPayload(data, read.message, back, this.#policy, this.#translation) : read.reason;
      }
      case 'other':
        return data;
    }
  }

  #drop(counters: Counters, reason: DropReason, exits: readonly ExitOutcome[] = []): Step {
    counters.drop(reason);
    return this.#step(reason, exits);
  }

  #step(dropped: DropReason | null, exits: readonly ExitOutcome[]): Step {
    return { dropped, exits, actions: this.#taken() };
  }

  #taken(): readonly Action[] {
    if (this.#actions.length === 0) return NOTHING;
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

const NOTHING: readonly Action[] = [];

/** The same bytes mean different things to different groups. */
const seedOf = ({ port, family }: Group): number => port * 2 + (family === 'ipv4' ? 0 : 1);

const outcomeOf = (payload: Uint8Array, { data }: Datagram): ExitOutcome['outcome'] =>
  payload === data ? 'sent' : 'changed';
