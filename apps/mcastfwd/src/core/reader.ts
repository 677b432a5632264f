import { millis, seconds, type Millis } from '@pp/base';
import { maxWaitSec } from '@pp/wire';
import { AddressOwners } from './address-owners';
import type { Datagram } from './datagram';
import type { DropReason } from './drop-reason';
import { MDNS_PORT, type Group } from './group';
import { MdnsMessage } from './mdns-message';
import { MdnsOutput } from './mdns-output';
import { DEFAULT_POLICY, type Policy, type Purpose } from './policy';
import { readSsdp, ssdpPayload } from './ssdp';
import type { Exit, Segment, Topology } from './topology';
import { Translation } from './translation';

/** What a packet is, as far as it matters to passing it on. Valid until the next one is read. */
export interface Reading {
  readonly purpose: Purpose;
  /** How long answers are passed on to the sender; 0: there are none but to the group. */
  readonly session: Millis;
  /** A list of known answers: complete with this packet, or going on in the next one. */
  readonly knownAnswers: 'none' | 'complete' | 'going-on';
  /** What answers are told by; null: they bear nothing. */
  readonly id: number | null;
  /** The bytes for all exits alike, or why nothing goes out at all; null: exits differ. */
  readonly everywhere: Uint8Array | DropReason | null;
  /** The bytes for an exit, or why nothing goes there. */
  readonly payload: (exit: Exit) => Uint8Array | DropReason;
}

/** Reads packets of every kind of group, one at a time. */
export class Reader {
  readonly #translation = new Translation(DEFAULT_POLICY);
  readonly #message = new MdnsMessage();
  readonly #output = new MdnsOutput({
    message: this.#message,
    owners: new AddressOwners(),
    translation: this.#translation,
  });
  #policy: Policy = DEFAULT_POLICY;

  update(policy: Policy, topology: Topology): void {
    this.#policy = policy;
    this.#translation.update(policy, topology);
  }

  /** A packet to a group; or why it is not passed on. */
  read(group: Group, datagram: Datagram, ingress: Segment, now: Millis): Reading | DropReason {
    switch (group.kind) {
      case 'mdns':
        return this.#mdnsPacket(group, datagram, ingress, now);
      case 'ssdp':
        return this.#ssdpPacket(group, datagram);
      case 'other':
        return {
          ...PLAIN,
          purpose: 'query',
          session: seconds(group.replySec),
          everywhere: datagram.data,
          payload: () => datagram.data,
        };
    }
  }

  /** An answer to somebody who asked from a port of his own; `hasAsked`: whether with such an id. */
  readAnswer(
    group: Group,
    { data, port }: Datagram,
    ingress: Segment,
    hasAsked: (id: number) => boolean,
    now: Millis,
  ): Pick<Reading, 'payload'> | DropReason {
    switch (group.kind) {
      case 'mdns': {
        const message = this.#message;
        const fault = message.read(data, port);
        if (fault !== null) return fault;
        this.#output.begin();
        if (!message.isResponse || !hasAsked(message.scan.id)) return 'reply-stray';
        return { payload: (exit) => this.#output.payloadFor(exit, ingress, this.#policy, true, now) };
      }
      case 'ssdp': {
        const read = readSsdp(data, true);
        if (!read.ok) return read.reason;
        return { payload: (exit) => ssdpPayload(data, read.message, exit, this.#policy, this.#translation) };
      }
      case 'other':
        return { payload: () => data };
    }
  }

  #mdnsPacket(group: Group, { data, port }: Datagram, ingress: Segment, now: Millis): Reading | DropReason {
    const message = this.#message;
    const fault = message.read(data, port);
    if (fault !== null) return fault;
    this.#output.begin();
    this.#output.learn(ingress.ifindex, now);
    return {
      purpose: message.purpose,
      session: port === MDNS_PORT ? millis(0) : seconds(group.replySec),
      knownAnswers: message.isTruncated ? 'going-on' : message.hasKnownAnswers ? 'complete' : 'none',
      id: message.scan.id,
      everywhere: this.#output.everywhere(this.#policy),
      payload: (exit) => this.#output.payloadFor(exit, ingress, this.#policy, false, now),
    };
  }

  #ssdpPacket(group: Group, { data }: Datagram): Reading | DropReason {
    const read = readSsdp(data, false);
    if (!read.ok) return read.reason;
    const { message } = read;
    const isSearch = message.kind === 'search';
    return {
      ...PLAIN,
      purpose: isSearch ? 'query' : 'announcement',
      // UPnP Device Architecture 2.0, §1.3.3: answers come within MX seconds, and networks delay them
      session: isSearch ? seconds(Math.max(group.replySec, maxWaitSec(message) + 2)) : millis(0),
      everywhere: isSearch ? data : null,
      payload: (exit) => ssdpPayload(data, message, exit, this.#policy, this.#translation),
    };
  }
}

const PLAIN = { knownAnswers: 'none', id: null } as const;
