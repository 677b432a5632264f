import type { Millis } from '@pp/base';
import type { Group } from './group';

/** RFC 6762 §7.2: a responder waits 400 to 500 ms for the rest. */
const PATIENCE_MS = 500;
/** BOUNDED: messages that wait for one exit, and those of them that came by one interface: nobody's fill it all. */
const MAX_WAITING = 256;
const MAX_WAITING_OF_LINK = 64;

/** Who sends: an address on the link of an interface. */
export interface Source {
  readonly ifindex: number;
  readonly address: string;
}

/** A query on its way out. */
export interface Outgoing {
  readonly group: Group;
  readonly ifindex: number;
  readonly payload: Uint8Array;
}

interface Waiting {
  /** It goes then at the latest, whoever is not through. */
  readonly until: number;
  readonly source: Source;
  readonly isTruncated: boolean;
  readonly outgoing: Outgoing;
}

interface Line {
  /** Whose known answers are under way, until when. */
  holder: Source;
  until: number;
  queue: Waiting[];
}

/**
 * Keeps known-answer lists in several packets (RFC 6762 §7.2) apart: receivers tell them by their source address, and from here all have
 * the same. While one sender is not through, messages with known answers of others wait, in order.
 */
export class TruncatedOrder {
  readonly #lines = new Map<string, Line>(); // BOUNDED: by the interfaces and families

  /** `send`: at once. `held`: a copy will be in `due`. `held-full`: too many wait already. */
  offer(
    source: Source,
    isTruncated: boolean,
    outgoing: Outgoing,
    now: Millis,
  ): 'send' | 'held' | 'held-full' {
    const exit = `${outgoing.ifindex} ${outgoing.group.family}`;
    const line = this.#lines.get(exit);
    if (line === undefined) {
      if (isTruncated) this.#lines.set(exit, { holder: source, until: now + PATIENCE_MS, queue: [] });
      return 'send';
    }
    if (!isSame(line.holder, source)) {
      if (isFull(line, source)) return 'held-full';
      const payload = outgoing.payload.slice();
      line.queue.push({ until: now + PATIENCE_MS, source, isTruncated, outgoing: { ...outgoing, payload } });
      return 'held';
    }
    line.until = isTruncated ? now + PATIENCE_MS : now;
    return 'send';
  }

  /** What may go now, in order. */
  due(now: Millis): readonly Outgoing[] {
    const out: Outgoing[] = []; // BOUNDED: MAX_WAITING for each exit
    for (const [exit, line] of this.#lines) {
      while (line.queue.length > 0 && dueOf(line) <= now) pass(line, out, now);
      if (line.until <= now) this.#lines.delete(exit);
    }
    return out;
  }

  /** When something becomes due; Infinity: never. */
  get nextDue(): number {
    let next = Infinity;
    for (const line of this.#lines.values()) next = Math.min(next, dueOf(line));
    return next;
  }

  get waiting(): number {
    let sum = 0;
    for (const { queue } of this.#lines.values()) sum += queue.length;
    return sum;
  }

  clear(): void {
    this.#lines.clear();
  }
}

const isSame = (a: Source, b: Source): boolean => a.ifindex === b.ifindex && a.address === b.address;

const isFull = ({ queue }: Line, { ifindex }: Source): boolean =>
  queue.length >= MAX_WAITING ||
  queue.filter(({ source }) => source.ifindex === ifindex).length >= MAX_WAITING_OF_LINK;

const dueOf = ({ until, queue }: Line): number => Math.min(until, queue[0]?.until ?? Infinity);

/** Lets the first one go; if its known answers go on, all that its sender has waiting goes with it, and that sender holds the line. */
function pass(line: Line, out: Outgoing[], now: Millis): void {
  const next = line.queue.shift();
  if (next === undefined) return;
  out.push(next.outgoing);
  if (!next.isTruncated) return;
  line.holder = next.source;
  line.until = now + PATIENCE_MS;
  line.queue = line.queue.filter(({ source, isTruncated, outgoing }) => {
    if (!isSame(source, line.holder) || line.until <= now) return true;
    out.push(outgoing);
    if (!isTruncated) line.until = now;
    return false;
  });
}
