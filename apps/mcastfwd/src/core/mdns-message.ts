import {
  addressLength,
  CLASS_TOP_BIT,
  DnsFlag,
  DnsScan,
  DnsType,
  nameAt,
  nameKey,
  type NameKey,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import { MDNS_PORT } from './group';
import { isLinkLocal } from './on-link';
import type { Purpose } from './policy';

/** An address record of the message that lies in the scan. */
export interface AddressRecord {
  readonly entry: number;
  readonly name: NameKey;
}

/** An mDNS message (RFC 6762), one at a time: what is in it that matters to passing it on. */
export class MdnsMessage {
  readonly scan = new DnsScan();
  #addresses: readonly AddressRecord[] = [];
  #hasReverse = false;
  #hasUnicastBit = false;
  #hasLinkLocal = false;

  /** From this port; null: it is well-formed and may be passed on. */
  read(data: Uint8Array, port: number): DropReason | null {
    const { scan } = this;
    const fault = scan.read(data);
    if (fault !== null) return fault;
    if ((scan.flags & (DnsFlag.opcode | DnsFlag.rcode)) !== 0) return 'opcode';
    if (this.isResponse) {
      if (port !== MDNS_PORT) return 'response-port';
    } else {
      const records = scan.countOf('answer') + scan.countOf('authority');
      if (scan.questions + records === 0) return 'no-question';
      if (port !== MDNS_PORT && records > 0) return 'legacy-records';
    }
    this.#look();
    return null;
  }

  get isResponse(): boolean {
    return (this.scan.flags & DnsFlag.response) !== 0;
  }

  /** A query whose known answers go on in the next packet. */
  get isTruncated(): boolean {
    return !this.isResponse && (this.scan.flags & DnsFlag.truncated) !== 0;
  }

  get hasKnownAnswers(): boolean {
    return !this.isResponse && this.scan.countOf('answer') > 0;
  }

  /** A probe (RFC 6762 §8.1) announces what it is going to claim. */
  get purpose(): Purpose {
    return this.isResponse || this.scan.countOf('authority') > 0 ? 'announcement' : 'query';
  }

  get addresses(): readonly AddressRecord[] {
    return this.#addresses;
  }

  get hasRecords(): boolean {
    return this.scan.entries > this.scan.questions;
  }

  /** It speaks of addresses by their reverse names. */
  get hasReverse(): boolean {
    return this.#hasReverse;
  }

  /** A question in it asks for an answer to the querier alone: QU, RFC 6762 §5.4. */
  get hasUnicastQuestion(): boolean {
    return this.#hasUnicastBit && !this.isResponse;
  }

  get hasLinkLocal(): boolean {
    return this.#hasLinkLocal;
  }

  /** Nothing of it is changed whatever the exit: the usual case. */
  get isPlain(): boolean {
    return !this.#hasLinkLocal && !this.hasUnicastQuestion;
  }

  /** One pass over all entries, for what costs nothing to know. */
  #look(): void {
    const { scan } = this;
    const addresses: AddressRecord[] = []; // BOUNDED: by the message
    this.#hasUnicastBit = this.#hasLinkLocal = this.#hasReverse = false;
    for (let entry = 0; entry < scan.entries; entry++) {
      const type = scan.type(entry);
      if (entry < scan.questions) {
        if ((scan.u16(scan.classAt(entry)) & CLASS_TOP_BIT) !== 0) this.#hasUnicastBit = true;
      } else {
        const length = addressLength(type);
        if (length !== 0) {
          addresses.push({ entry, name: nameKey(nameAt(scan.bytes, scan.name(entry))) });
          if (isLinkLocal(scan.bytes, scan.rdata(entry), length)) this.#hasLinkLocal = true;
        }
      }
      // "arpa" is where PTR questions and records of addresses are
      if (type === DnsType.PTR || type === DnsType.NSEC || type === DnsType.ANY)
        this.#hasReverse ||= this.#isArpa(entry);
    }
    this.#addresses = addresses;
  }

  #isArpa(entry: number): boolean {
    const { bytes } = this.scan;
    const at = this.scan.name(entry);
    const first = bytes[at + 1] ?? 0;
    // The first label of a reverse name is a number: all others are told at once.
    return (first >= 0x30 && first <= 0x39) || (first >= 0x61 && first <= 0x66 && bytes[at] === 1);
  }
}
