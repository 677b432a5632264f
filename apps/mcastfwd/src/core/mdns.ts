import type { Millis } from '@pp/base';
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
import type { AddressOwners } from './address-owners';
import type { DropReason } from './drop-reason';
import { isEnumeration, letsThrough, type FilterRule } from './filter-rule';
import { MDNS_PORT } from './group';
import { MessageEdit } from './message-edit';
import { isLinkLocal } from './on-link';
import { rulesFor, type Policy, type Purpose } from './policy';
import type { Exit, Segment } from './topology';
import type { Translation } from './translation';

/** An address record of the message that lies in the scan. */
interface AddressRecord {
  readonly entry: number;
  readonly name: NameKey;
}

export interface MdnsParts {
  readonly owners: AddressOwners;
  readonly translation: Translation;
}

/** Reads one mDNS message at a time, and says what of it goes out by an exit (RFC 6762). */
export class MdnsMessage {
  readonly scan = new DnsScan();
  readonly #parts: MdnsParts;
  #addresses: readonly AddressRecord[] = [];
  #hasReverse = false;
  #hasUnicastBit = false;
  #hasLinkLocal = false;
  /** What goes out by every exit that has no rules of its own; null: not made yet. */
  #common: Uint8Array | DropReason | null = null;

  constructor(parts: MdnsParts) {
    this.#parts = parts;
  }

  /** From this port; null: it is well-formed and may be passed on. */
  read(data: Uint8Array, port: number): DropReason | null {
    const { scan } = this;
    const fault = scan.read(data);
    if (fault !== null) return fault;
    this.#common = null;
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

  /** Remembers whose names these are: who announces them directly on a link (RFC 6762 §9). */
  learn(ifindex: number, now: Millis): void {
    if (!this.isResponse) return;
    const { scan } = this;
    for (const { entry, name } of this.#addresses)
      this.#parts.owners.note(name, ifindex, addressText(scan, entry), scan.ttlSec(entry), now);
  }

  /** The bytes for an exit, or why nothing goes there. `ingress`: where the message came from. `isLegacy`: to a one-shot querier. */
  payloadFor(
    exit: Exit,
    ingress: Segment | undefined,
    policy: Policy,
    isLegacy: boolean,
    now: Millis,
  ): Uint8Array | DropReason {
    const rules = rulesFor(policy, exit, this.purpose);
    const conflicts = this.#conflicts(exit, now);
    const { translation } = this.#parts;
    const entries = this.#addresses.length === 0 ? NO_ENTRIES : this.#addresses.map(({ entry }) => entry);
    const isTranslated = translation.concerns(this.scan, exit, ingress, entries, this.#hasReverse);
    if (rules.length === 0 && conflicts.length === 0 && !isTranslated && !isLegacy)
      return (this.#common ??= this.#isVerbatim
        ? this.scan.bytes
        : this.#finish(this.#edited(policy), 'link-local-only', false));
    const edit = this.#edited(policy);
    let reason: DropReason = 'link-local-only';
    if (rules.length > 0 && this.#filter(edit, rules)) reason = 'filtered';
    if (this.#dropConflicts(edit, conflicts)) reason = 'address-conflict';
    if (isTranslated && exit.way === 'to-lan') reason = translation.outwards(this.scan, edit, exit) ?? reason;
    if (isTranslated && exit.way === 'to-guest') translation.inwards(this.scan, edit, exit, ingress);
    return this.#finish(edit, reason, isLegacy);
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

  /** The usual case: nothing of it is changed on any way. */
  get #isVerbatim(): boolean {
    return !this.#hasLinkLocal && (!this.#hasUnicastBit || this.isResponse);
  }

  /** What is done whatever the exit: QU cleared (RFC 6762 §5.4; answers then come to the group), link-local addresses left out. */
  #edited(policy: Policy): MessageEdit {
    const { scan } = this;
    const edit = new MessageEdit(scan);
    if (this.#hasUnicastBit && !this.isResponse)
      for (let entry = 0; entry < scan.questions; entry++) {
        const at = scan.classAt(entry);
        edit.patch(at, Uint8Array.of((scan.bytes[at] ?? 0) & 0x7f));
      }
    if (this.#hasLinkLocal && !policy.isOneLink) this.#dropLinkLocal(edit);
    return edit;
  }

  #dropLinkLocal(edit: MessageEdit): void {
    const { scan } = this;
    const dropped = this.#addresses.filter(({ entry }) =>
      isLinkLocal(scan.bytes, scan.rdata(entry), scan.rdataLength(entry)),
    );
    for (const { entry } of dropped) edit.drop(entry);
    // An NSEC that denies a type of which some records stay would deny them.
    for (const { entry: gone, name } of dropped) {
      const type = scan.type(gone);
      const stays = this.#addresses.some(
        (each) => each.name === name && scan.type(each.entry) === type && !edit.isDropped(each.entry),
      );
      if (stays) this.#dropNsec(edit, name, type);
    }
  }

  /** `denied`: only one whose types are without this one; undefined: any. */
  #dropNsec(edit: MessageEdit, name: NameKey, denied?: number): void {
    const { scan } = this;
    for (let entry = scan.questions; entry < scan.entries; entry++)
      if (
        scan.type(entry) === DnsType.NSEC &&
        nameKey(nameAt(scan.bytes, scan.name(entry))) === name &&
        (denied === undefined || !nsecHas(scan, entry, denied))
      )
        edit.drop(entry);
  }

  /** Address records of names that hosts of the exit's link have themselves. */
  #conflicts({ segment }: Exit, now: Millis): readonly AddressRecord[] {
    if (this.#addresses.length === 0 || !this.isResponse) return NONE;
    return this.#addresses.filter(({ name }) => this.#parts.owners.isOwnedOn(name, segment.ifindex, now));
  }

  #dropConflicts(edit: MessageEdit, conflicts: readonly AddressRecord[]): boolean {
    for (const { entry, name } of conflicts) {
      edit.drop(entry);
      this.#dropNsec(edit, name);
    }
    return conflicts.length > 0;
  }

  #filter(edit: MessageEdit, rules: readonly FilterRule[]): boolean {
    const { scan } = this;
    for (let entry = 0; entry < scan.entries; entry++) {
      const name = nameAt(scan.bytes, scan.name(entry));
      const isPointer =
        entry >= scan.questions && scan.type(entry) === DnsType.PTR && scan.rdataLength(entry) > 0;
      const target = isPointer ? nameAt(scan.bytes, scan.rdata(entry)) : null;
      const passes =
        (isEnumeration(name) || letsThrough(rules, name)) && (target === null || letsThrough(rules, target));
      if (!passes) edit.drop(entry);
    }
    return edit.isDropping;
  }

  /** A message that says or asks nothing any more does not go out. */
  #finish(edit: MessageEdit, reason: DropReason, plainSrv: boolean): Uint8Array | DropReason {
    if (edit.isDropping) {
      const { questions, answers } = edit.hasLost;
      if (this.isResponse ? answers : questions || (this.scan.questions === 0 && answers)) return reason;
    }
    return edit.apply(plainSrv);
  }
}

const NONE: readonly AddressRecord[] = [];
const NO_ENTRIES: readonly number[] = [];

function addressText(scan: DnsScan, entry: number): string {
  const at = scan.rdata(entry);
  return String.fromCharCode(...scan.bytes.subarray(at, at + scan.rdataLength(entry)));
}

/** Whether an NSEC's map of types (RFC 4034 §4.1.2) has a type below 256: block 0 comes first, if at all. */
function nsecHas(scan: DnsScan, entry: number, type: number): boolean {
  const end = scan.rdata(entry) + scan.rdataLength(entry);
  let at = scan.rdata(entry);
  for (;;) {
    const byte = scan.bytes[at] ?? 0;
    at += byte === 0 ? 1 : byte >= 0xc0 ? 2 : byte + 1;
    if (byte === 0 || byte >= 0xc0) break;
  }
  const [block, length] = [scan.bytes[at] ?? 1, scan.bytes[at + 1] ?? 0];
  const place = at + 2 + (type >> 3);
  return (
    block === 0 &&
    type >> 3 < length &&
    place < end &&
    ((scan.bytes[place] ?? 0) & (0x80 >> (type & 7))) !== 0
  );
}
