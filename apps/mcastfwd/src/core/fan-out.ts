import type { Millis } from '@pp/base';
import type { Action, ExitOutcome } from './action';
import type { Datagram } from './datagram';
import type { DropReason } from './drop-reason';
import type { Group } from './group';
import { payloadHash, type LoopGuard } from './loop-guard';
import { mayGo, type Policy } from './policy';
import type { Reading } from './reader';
import type { Session, Sessions } from './sessions';
import type { Exit, Topology } from './topology';
import { TruncatedOrder, type Outgoing } from './truncated';

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
    for (const outgoing of this.#truncated.due(now)) this.#parts.want({ do: 'send', ...outgoing });
  }

  /** Forgets what waits. */
  clear(): void {
    this.#truncated.clear();
  }

  passOn(packet: Admitted, topology: Topology, policy: Policy, now: Millis): Spread {
    const { group, datagram, reading } = packet;
    const exits: ExitOutcome[] = []; // BOUNDED: by the exits
    let reason: DropReason | null = null;
    let [isOut, known] = [false, datagram.data];
    for (const exit of topology.exits(datagram.ifindex)) {
      const payload = payloadFor(exit, group, reading, policy);
      const { ifname } = exit.segment;
      if (typeof payload === 'string') {
        reason ??= payload;
        exits.push({ ifname, outcome: payload });
        continue;
      }
      isOut = true;
      if (payload !== known && payload !== datagram.data)
        this.#parts.guard.sent(payloadHash(payload, group), datagram.ifindex, now);
      known = payload;
      exits.push({ ifname, outcome: this.#emit(packet, exit.segment.ifindex, payload, now) });
    }
    return { dropped: isOut ? null : (reason ?? 'no-exit'), exits };
  }

  #emit(packet: Admitted, ifindex: number, payload: Uint8Array, now: Millis): ExitOutcome['outcome'] {
    const { group, datagram, reading, session } = packet;
    const { sessions, want } = this.#parts;
    if (session !== null) {
      sessions.sentBy(session, ifindex);
      want({ do: 'search', session, ifindex, payload });
      return outcomeOf(payload, datagram);
    }
    const send = { do: 'send', group, ifindex, payload } as const;
    const order = reading.knownAnswers === 'none' ? 'send' : this.#order(send, datagram, reading, now);
    if (order !== 'send') return order === 'held' ? 'held' : 'held-full';
    want(send);
    return outcomeOf(payload, datagram);
  }

  /** Known answers of several hosts do not mix at an exit. */
  #order(outgoing: Outgoing, datagram: Datagram, reading: Reading, now: Millis): 'send' | 'held' | 'full' {
    if (this.#truncated.nextDue <= now) this.release(now);
    const source = `${datagram.ifindex} ${datagram.address}`;
    return this.#truncated.offer(source, reading.knownAnswers === 'going-on', outgoing, now);
  }
}

function payloadFor(exit: Exit, group: Group, reading: Reading, policy: Policy): Uint8Array | DropReason {
  if (!exit.segment.speaks[group.family]) return 'no-exit';
  if (!mayGo(policy, exit, reading.purpose)) return 'direction';
  return reading.payload(exit);
}

/** `sent`: as it came in. */
export const outcomeOf = (payload: Uint8Array, { data }: Datagram): 'sent' | 'changed' =>
  payload === data ? 'sent' : 'changed';
