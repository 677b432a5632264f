import type { Millis } from '@pp/base';
import type { FrameFacts } from '@pp/ports';
import { decodeUdp4, type DecodeFault, type Ipv4Packet, type Udp4Datagram, type UdpSegment } from '@pp/wire';
import { admit } from './admit';
import { Counters } from './counters';
import type { DropReason } from './drop-reason';
import type { RelayLink } from './link';
import { copyFor, type Copy } from './outgoing';
import { refusal } from './policy';
import { Rates } from './rates';
import { Reassembler } from './reassembler';
import { hashOf, RecentCopies } from './recent-copies';
import type { ReplyPorts } from './reply';
import { isMarked, type RelaySettings } from './settings';
import { NO_TOPOLOGY, type Topology } from './topology';

export type Verdict =
  | { readonly is: 'forwarded' }
  /** A fragment that waits for others. */
  | { readonly is: 'waiting' }
  | { readonly is: 'dropped'; readonly reason: DropReason };

/** What became of a frame, and what is to be sent because of it. */
export interface Step {
  readonly verdict: Verdict;
  readonly copies: readonly Copy[];
  /** As far as it could be read, for a trace. `datagram` is whole. Borrowed. */
  readonly packet: Ipv4Packet | null;
  readonly datagram: Udp4Datagram | null;
}

const WAITING: Verdict = { is: 'waiting' };
const FORWARDED: Verdict = { is: 'forwarded' };

/** The relay's decisions: frames in, frames out, no effects but its own memory, which is bounded. */
export class Relay {
  readonly counters = new Counters();
  readonly #settings: RelaySettings;
  readonly #replyPorts: ReplyPorts;
  readonly #rates: Rates;
  readonly #recent: RecentCopies;
  readonly #reassembler: Reassembler;
  #topology = NO_TOPOLOGY;

  constructor(settings: RelaySettings, replyPorts: ReplyPorts) {
    this.#settings = settings;
    this.#replyPorts = replyPorts;
    this.#rates = new Rates(settings.rate, settings.limits.interfaceRate);
    this.#recent = new RecentCopies(settings.limits.recent);
    this.#reassembler = new Reassembler(settings.limits, (reason, frames) => {
      this.counters.waiting -= frames;
      this.counters.drop(reason, frames);
    });
  }

  get topology(): Topology {
    return this.#topology;
  }

  update(topology: Topology): void {
    for (const ifindex of this.#topology.links.keys())
      if (!topology.links.has(ifindex)) this.#rates.forget(ifindex);
    this.#topology = topology;
  }

  /** When `tick` is wanted; Infinity: not. */
  get nextDue(): number {
    return this.#reassembler.nextDue;
  }

  tick(now: Millis): void {
    this.#reassembler.expire(now);
  }

  /** The frame is borrowed; the copies are too, in part. */
  step(ifindex: number, frame: Uint8Array, facts: FrameFacts, now: Millis): Step {
    this.counters.received += 1;
    const link = this.#topology.links.get(ifindex);
    if (link === undefined) return this.#dropped('no-exit', 1, null);
    const admission = admit(link, frame, facts, this.#topology.own);
    if (!admission.ok) return this.#dropped(admission.reason, 1, admission.packet);
    const { packet, mac } = admission.value;
    if (isMarked(this.#settings.mark, packet)) return this.#dropped('marked', 1, packet);
    if (!this.#rates.take(ifindex, packet.source, now)) return this.#dropped('rate', 1, packet);
    if (!packet.moreFragments && packet.fragmentOffset === 0)
      return this.#whole({ link, packet, mac, frames: 1, verify: facts.checksumReady }, now);
    const done = this.#reassembler.add(ifindex, packet, now);
    switch (done.is) {
      case 'waiting':
        this.counters.waiting += 1;
        return { verdict: WAITING, copies: [], packet, datagram: null };
      case 'dropped':
        this.counters.waiting -= done.frames - 1;
        return this.#dropped(done.reason, done.frames, packet);
      case 'whole':
        this.counters.waiting -= done.frames - 1;
        return this.#whole({ link, packet: done.packet, mac, frames: done.frames, verify: true }, now);
    }
  }

  #whole({ link, packet, mac, frames, verify }: Whole, now: Millis): Step {
    const segment = decodeUdp4(packet, { verify });
    if (!segment.ok) return this.#dropped(segmentReason(segment.fault), frames, packet);
    const datagram = datagramOf(packet, segment.value);
    const reason = refusal(this.#settings.policy, link.ifname, datagram);
    if (reason !== null) return this.#dropped(reason, frames, packet, datagram);
    const hash = hashOf(datagram.payload);
    if (this.#recent.wasSent(link.ifindex, datagram, hash, now))
      return this.#dropped('looped', frames, packet, datagram);
    const copies = this.#copies(link, datagram, mac, now);
    if (typeof copies === 'string') return this.#dropped(copies, frames, packet, datagram);
    for (const copy of copies) this.#recent.noteSent(copy.exit.ifindex, copy.datagram, hash, now);
    this.counters.forwarded += frames;
    return { verdict: FORWARDED, copies, packet, datagram };
  }

  /** One or more for each way out; or why there is none. */
  #copies(
    link: RelayLink,
    datagram: Udp4Datagram,
    mac: Uint8Array | null,
    now: Millis,
  ): readonly Copy[] | DropReason {
    const asker = { ifindex: link.ifindex, address: datagram.source, port: datagram.sourcePort, mac };
    const copies: Copy[] = []; // BOUNDED: by the links and their targets
    let fault: DropReason = 'no-exit';
    for (const ifindex of this.#topology.exits.get(link.ifindex) ?? []) {
      const exit = this.#topology.links.get(ifindex);
      if (exit === undefined) continue;
      const ways = copyFor(datagram, asker, exit, this.#settings, this.#replyPorts, now);
      if (ways === 'no-source') fault = ways;
      else copies.push(...ways);
    }
    return copies.length === 0 ? fault : copies;
  }

  #dropped(
    reason: DropReason,
    frames: number,
    packet: Ipv4Packet | null,
    datagram: Udp4Datagram | null = null,
  ): Step {
    this.counters.drop(reason, frames);
    return { verdict: { is: 'dropped', reason }, copies: [], packet, datagram };
  }
}

/** A packet that is no fragment, or not any more. */
interface Whole {
  readonly link: RelayLink;
  readonly packet: Ipv4Packet;
  readonly mac: Uint8Array | null;
  /** How many it came in. */
  readonly frames: number;
  /** Its UDP checksum means something. */
  readonly verify: boolean;
}

function segmentReason(fault: DecodeFault): DropReason {
  return fault === 'checksum' ? 'udp-checksum' : 'udp-length';
}

/** Field by field: spreads cost more than all the rest of a step. */
const datagramOf = (packet: Ipv4Packet, segment: UdpSegment): Udp4Datagram => ({
  tos: packet.tos,
  id: packet.id,
  dontFragment: packet.dontFragment,
  ttl: packet.ttl,
  options: packet.options,
  source: packet.source,
  destination: packet.destination,
  sourcePort: segment.sourcePort,
  destinationPort: segment.destinationPort,
  payload: segment.payload,
});
