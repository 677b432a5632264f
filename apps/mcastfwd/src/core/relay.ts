import type { Millis } from '@pp/base';
import { MDNS_MAX_PACKET } from '@pp/wire';
import type { InterfacesView } from '@pp/ports';
import type { Action, ExitOutcome, Step } from './action';
import { Counters } from './counters';
import type { Datagram } from './datagram';
import type { DropReason } from './drop-reason';
import { FanOut, outcomeOf } from './fan-out';
import type { Group } from './group';
import { LoopGuard, payloadHash } from './loop-guard';
import { DEFAULT_POLICY, type Policy } from './policy';
import { Reader, type Reading } from './reader';
import { Senders } from './senders';
import { Sessions, type Session } from './sessions';
import { Topology, type Link, type Segment } from './topology';

/** RFC 6762 §17: 9,000 bytes are counted with the headers of IP and UDP. */
const LONGEST = { ipv4: MDNS_MAX_PACKET - 28, ipv6: MDNS_MAX_PACKET - 48 } as const;

/**
 * Passes multicast packets on between the interfaces of a topology. Pure: packets, time and interfaces in, actions out. Nothing that a
 * packet says makes it remember more than fixed bounds.
 */
export class Relay {
  readonly #counters = new Map<Group, Counters>(); // BOUNDED: by the groups
  readonly #senders = new Senders();
  readonly #reader = new Reader();
  readonly #guard = new LoopGuard();
  readonly #sessions: Sessions;
  readonly #fanOut: FanOut;
  #policy: Policy = DEFAULT_POLICY;
  #topology = new Topology([], { links: [], addresses: [] });
  #actions: Action[] = []; // BOUNDED: by the exits of one packet

  constructor() {
    const want = (action: Action): void => void this.#actions.push(action);
    this.#sessions = new Sessions((session) => {
      want({ do: 'end', session });
    });
    this.#fanOut = new FanOut({ guard: this.#guard, sessions: this.#sessions, want });
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
    return this.#fanOut.waiting;
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
    this.#reader.update(policy, this.#topology);
    this.#fanOut.update(this.#topology, policy);
    this.#senders.update(this.#topology);
    const { segments } = this.#topology;
    this.#sessions.endWhere(({ client }) => !segments.has(client.segment.ifindex));
    return this.#taken();
  }

  /** A packet to a group. */
  receive(group: Group, datagram: Datagram, now: Millis): Step {
    const counters = this.counters(group);
    counters.received++;
    const ingress = this.#ingressOf(group, datagram);
    if (typeof ingress === 'string') return this.#drop(counters, ingress);
    const reading = this.#reader.read(group, datagram, ingress, now);
    if (typeof reading === 'string') return this.#drop(counters, reading);
    const looped = this.#looped(group, datagram, ingress, reading.session > 0, now);
    if (looped !== null) return this.#drop(counters, looped);
    const session = reading.session > 0 ? this.#session(group, datagram, ingress, reading, now) : null;
    const packet = { group, datagram, reading, session };
    const { dropped, exits } = this.#fanOut.passOn(packet, now);
    if (dropped !== null) return this.#drop(counters, dropped, exits);
    counters.forwarded++;
    return this.#step(null, exits);
  }

  /** An answer to a session's port. */
  reply(group: Group, sessionId: number, datagram: Datagram, now: Millis): Step {
    const counters = this.counters(group);
    counters.received++;
    const session = this.#sessions.get(sessionId, now);
    if (session === undefined) return this.#drop(counters, 'reply-late');
    const ingress = this.#ingressOf(group, datagram);
    if (typeof ingress === 'string') return this.#drop(counters, ingress);
    if (!session.exits.has(ingress.ifindex)) return this.#drop(counters, 'reply-stray');
    const back = this.#topology
      .exits(ingress.ifindex)
      .find(({ segment }) => segment.ifindex === session.client.segment.ifindex);
    if (back === undefined) return this.#drop(counters, 'not-member');
    const hasAsked = (id: number): boolean => this.#sessions.hasAsked(session, id);
    const answer = this.#reader.readAnswer(group, datagram, ingress, hasAsked, now);
    const payload = typeof answer === 'string' ? answer : answer.payload(back);
    if (typeof payload === 'string') return this.#drop(counters, payload);
    counters.forwarded++;
    this.#actions.push({ do: 'answer', session, payload });
    return this.#step(null, [{ ifname: back.segment.ifname, outcome: outcomeOf(payload, datagram) }]);
  }

  /** Time has passed. */
  tick(now: Millis): readonly Action[] {
    this.#sessions.expire(now);
    this.#fanOut.release(now);
    return this.#taken();
  }

  nextDue(): number {
    return Math.min(this.#sessions.nextDue, this.#fanOut.nextDue);
  }

  /** Where a packet comes from, if it may come from there. */
  #ingressOf({ family }: Group, { data, ifindex, address }: Datagram): Segment | DropReason {
    const ingress = this.#topology.segments.get(ifindex);
    if (ingress === undefined) return 'not-member';
    if (data.length > LONGEST[family]) return 'too-big';
    return this.#senders.faultOf(address, ifindex) ?? ingress;
  }

  #looped(
    group: Group,
    { data, ifindex, address }: Datagram,
    { ifname }: Segment,
    isSession: boolean,
    now: Millis,
  ): DropReason | null {
    const admission = this.#guard.admit(payloadHash(data, group), ifindex, isSession, now);
    if (admission === 'new') return null;
    if (admission !== 'storm-begins') return admission;
    this.#actions.push({
      do: 'tell',
      event: 'storm',
      fields: { group: group.name, ifname, address, silentSec: 10 },
    });
    return 'storm';
  }

  #session(
    group: Group,
    { address, port }: Datagram,
    segment: Segment,
    { session: span, id }: Reading,
    now: Millis,
  ): Session {
    const session = this.#sessions.open(group, { segment, address, port }, span, now);
    if (id !== null) this.#sessions.asks(session, id);
    return session;
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
