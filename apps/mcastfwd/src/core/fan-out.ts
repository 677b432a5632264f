import type { Millis } from '@pp/base';
import type { Action, ExitOutcome } from './action';
import type { Datagram } from './datagram';
import type { DropReason } from './drop-reason';
import type { Group } from './group';
import { payloadHash, type LoopGuard } from './loop-guard';
import type { Policy } from './policy';
import type { Reading } from './reader';
import type { Session, Sessions } from './sessions';
import type { Topology } from './topology';
import { TruncatedOrder } from './truncated';
import { outcomes, WaysTable, type Ways } from './ways';

export interface FanOutParts {
  readonly guard: LoopGuard;
  readonly sessions: Sessions;
  readonly want: (action: Action) => void;
}

/** A packet that has been let in. */
export interface Admitted {
  readonly group: Group;
  readonly datagram: Datagram;
  readonly reading: Reading;
  /** Of a sender who wants answers; null: there is none. */
  readonly session: Session | null;
}

/** What became of a packet at all exits; `dropped`: it went out by none. */
export interface Spread {
  readonly dropped: DropReason | null;
  readonly exits: readonly ExitOutcome[];
}

/** Sends packets out by the exits that they may take. */
export class FanOut {
  readonly #parts: FanOutParts;
  readonly #truncated = new TruncatedOrder();
  readonly #ways = new WaysTable();

  constructor(parts: FanOutParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#truncated.waiting;
  }

  get nextDue(): number {
    return this.#truncated.nextDue;
  }

  /** Lets go what waited long enough. */
  release(now: Millis): void {
    for (const { group, ifindex, payload } of this.#truncated.due(now))
      this.#parts.want({ do: 'send', group, ifindexes: [ifindex], payload });
  }

  /** Other interfaces or another policy; what waits is forgotten. */
  update(topology: Topology, policy: Policy): void {
    this.#truncated.clear();
    this.#ways.update(topology, policy);
  }

  passOn(packet: Admitted, now: Millis): Spread {
    const { group, datagram, reading } = packet;
    const ways = this.#ways.from(datagram.ifindex, group.family, reading.purpose);
    const { everywhere } = reading;
    if (everywhere === null || reading.knownAnswers !== 'none' || ways.ifindexes.length === 0)
      return this.#byExit(packet, ways, now);
    if (typeof everywhere === 'string') return { dropped: everywhere, exits: outcomes(ways.all, everywhere) };
    this.#remember(packet, everywhere, now);
    this.#emit(packet, everywhere, ways.ifindexes);
    return { dropped: null, exits: everywhere === datagram.data ? ways.sent : ways.changed };
  }

  /** Where exits differ in what goes out by them, or when. */
  #byExit(packet: Admitted, { all }: Ways, now: Millis): Spread {
    const ready = new Map<Uint8Array, number[]>(); // BOUNDED: by the exits
    if (this.#truncated.nextDue <= now) this.release(now); // not later: nothing overtakes what this packet lets go
    const exits = all.map(({ exit, closed }): ExitOutcome => {
      const { ifname, ifindex } = exit.segment;
      const payload = closed ?? packet.reading.payload(exit);
      if (typeof payload === 'string') return { ifname, outcome: payload };
      this.#remember(packet, payload, now);
      const order = this.#order(packet, ifindex, payload, now);
      if (order !== 'send') return { ifname, outcome: order };
      const ifindexes = ready.get(payload);
      if (ifindexes === undefined) ready.set(payload, [ifindex]);
      else ifindexes.push(ifindex);
      return { ifname, outcome: outcomeOf(payload, packet.datagram) };
    });
    for (const [payload, ifindexes] of ready) this.#emit(packet, payload, ifindexes);
    return { dropped: dropOf(exits), exits };
  }

  /** Bytes that we changed come back looking new. */
  #remember({ group, datagram }: Admitted, payload: Uint8Array, now: Millis): void {
    if (payload !== datagram.data) this.#parts.guard.sent(payloadHash(payload, group), datagram.ifindex, now);
  }

  #emit({ group, session }: Admitted, payload: Uint8Array, ifindexes: readonly number[]): void {
    const { sessions, want } = this.#parts;
    if (session === null) want({ do: 'send', group, ifindexes, payload });
    else {
      sessions.sentBy(session, ifindexes);
      want({ do: 'search', session, ifindexes, payload });
    }
  }

  /** Known answers of several hosts do not mix at an exit. */
  #order({ group, datagram, reading, session }: Admitted, ifindex: number, payload: Uint8Array, now: Millis) {
    if (reading.knownAnswers === 'none' || session !== null) return 'send';
    const source = { ifindex: datagram.ifindex, address: datagram.address };
    const isGoingOn = reading.knownAnswers === 'going-on';
    return this.#truncated.offer(source, isGoingOn, { group, ifindex, payload }, now);
  }
}

/** `sent`: as it came in. */
export const outcomeOf = (payload: Uint8Array, { data }: Datagram): 'sent' | 'changed' =>
  payload === data ? 'sent' : 'changed';

/** Why a packet went out by no exit; null: it did by one. */
function dropOf(exits: readonly ExitOutcome[]): DropReason | null {
  for (const { outcome } of exits)
    if (outcome === 'sent' || outcome === 'changed' || outcome === 'held') return null;
  const [first] = exits;
  return first === undefined ? 'no-exit' : (first.outcome as DropReason);
}
