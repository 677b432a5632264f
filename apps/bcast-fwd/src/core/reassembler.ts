import { BoundedMap, type Millis } from '@pp/base';
import { IPV4_MAX_LENGTH, type Ipv4Packet } from '@pp/wire';
import type { DropReason } from './drop-reason';
import type { Limits } from './limits';

/** What became of a fragment; `frames` were settled by it, also those that came before. */
export type Reassembled =
  | { readonly is: 'waiting' }
  | { readonly is: 'whole'; readonly packet: Ipv4Packet; readonly frames: number }
  | { readonly is: 'dropped'; readonly reason: DropReason; readonly frames: number };

interface Partial {
  readonly source: number;
  readonly since: Millis;
  /** In order of their offsets, without overlaps. Payloads are copies. BOUNDED: limits.fragments. */
  readonly parts: Ipv4Packet[];
  bytes: number;
  /** Payload bytes of the whole datagram, known from its last fragment. */
  total: number | null;
}

type FragmentLimits = Pick<
  Limits,
  'reassemblies' | 'reassembliesPerSource' | 'reassemblyBytes' | 'fragments' | 'reassemblyTime'
>;

/**
 * Puts fragments together, RFC 791 §3.2. Overlaps are refused with all of their datagram, as RFC 5722 has it for IPv6. Told of every drop
 * that is not the answer to `add`: the oldest datagram leaves where there are too many.
 */
export class Reassembler {
  readonly #limits: FragmentLimits;
  readonly #onDropped: (reason: DropReason, frames: number) => void;
  readonly #partials: BoundedMap<string, Partial>;
  #bytes = 0;

  constructor(limits: FragmentLimits, onDropped: (reason: DropReason, frames: number) => void) {
    this.#limits = limits;
    this.#onDropped = onDropped;
    this.#partials = new BoundedMap(limits.reassemblies, (_, partial) => {
      this.#lose(partial, 'fragment-limit');
    });
  }

  /** When something is to expire; Infinity: nothing waits. */
  get nextDue(): number {
    for (const [, { since }] of this.#partials.entries()) return since + this.#limits.reassemblyTime;
    return Infinity;
  }

  /** `packet` is a fragment; it is borrowed. */
  add(ifindex: number, packet: Ipv4Packet, now: Millis): Reassembled {
    const end = packet.fragmentOffset + packet.payload.length;
    const isUneven = packet.moreFragments && packet.payload.length % 8 !== 0;
    if (packet.payload.length === 0 || isUneven || end > IPV4_MAX_LENGTH)
      return { is: 'dropped', reason: 'fragment-length', frames: 1 };
    const key = `${ifindex} ${packet.source} ${packet.destination} ${packet.id} ${packet.protocol}`;
    const partial = this.#partials.get(key) ?? this.#open(key, packet.source, now);
    const place = placeOf(partial, packet);
    if (place === 'duplicate') return { is: 'dropped', reason: 'fragment-duplicate', frames: 1 };
    if (place === 'overlap') return this.#refuse(key, partial, 'fragment-overlap');
    const bytes = packet.payload.length;
    if (partial.parts.length === this.#limits.fragments || this.#bytes + bytes > this.#limits.reassemblyBytes)
      return this.#refuse(key, partial, 'fragment-limit');
    partial.parts.splice(place, 0, {
      ...packet,
      options: packet.options.slice(),
      payload: packet.payload.slice(),
    });
    partial.bytes += bytes;
    this.#bytes += bytes;
    if (!packet.moreFragments) partial.total = end;
    if (partial.bytes !== partial.total) return { is: 'waiting' };
    this.#forget(key, partial);
    return { is: 'whole', packet: joined(partial), frames: partial.parts.length };
  }

  expire(now: Millis): void {
    for (const [key, partial] of this.#partials.entries()) {
      if (now - partial.since < this.#limits.reassemblyTime) return; // in the order of their age
      this.#partials.delete(key);
      this.#lose(partial, 'fragment-timeout');
    }
  }

  #open(key: string, source: number, now: Millis): Partial {
    this.#makeRoomFor(source);
    const partial: Partial = { source, since: now, parts: [], bytes: 0, total: null };
    this.#partials.set(key, partial);
    return partial;
  }

  /** Nobody's fragments drive out those of others before their own. */
  #makeRoomFor(source: number): void {
    const own = [...this.#partials.entries()].filter(([, partial]) => partial.source === source);
    const [oldest] = own;
    if (oldest === undefined || own.length < this.#limits.reassembliesPerSource) return;
    this.#partials.delete(oldest[0]);
    this.#lose(oldest[1], 'fragment-limit');
  }

  /** With what came before of the same datagram. */
  #refuse(key: string, partial: Partial, reason: DropReason): Reassembled {
    this.#forget(key, partial);
    return { is: 'dropped', reason, frames: partial.parts.length + 1 };
  }

  #forget(key: string, partial: Partial): void {
    this.#partials.delete(key);
    this.#bytes -= partial.bytes;
  }

  #lose(partial: Partial, reason: DropReason): void {
    this.#bytes -= partial.bytes;
    if (partial.parts.length > 0) this.#onDropped(reason, partial.parts.length);
  }
}

/** Where a fragment belongs among the others. */
function placeOf({ parts, total }: Partial, packet: Ipv4Packet): number | 'duplicate' | 'overlap' {
  const start = packet.fragmentOffset;
  const end = start + packet.payload.length;
  for (const part of parts)
    if (part.fragmentOffset === start && part.payload.length === packet.payload.length)
      return part.moreFragments === packet.moreFragments ? 'duplicate' : 'overlap';
  if (total !== null && (end > total || !packet.moreFragments)) return 'overlap';
  const next = parts.findIndex(({ fragmentOffset }) => fragmentOffset > start);
  const place = next < 0 ? parts.length : next;
  const before = parts[place - 1];
  const after = parts[place];
  if (before !== undefined && before.fragmentOffset + before.payload.length > start) return 'overlap';
  if (after !== undefined && (after.fragmentOffset < end || !packet.moreFragments)) return 'overlap';
  return place;
}

/** The first fragment's header with all payloads. */
function joined({ parts, bytes }: Partial): Ipv4Packet {
  const [first] = parts;
  if (first === undefined) throw new RangeError('a datagram of no fragments');
  const payload = new Uint8Array(bytes);
  for (const part of parts) payload.set(part.payload, part.fragmentOffset);
  return { ...first, moreFragments: false, payload };
}
