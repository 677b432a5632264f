import type { Millis } from '@pp/base';
import { DnsType, nameAt, type DnsScan } from '@pp/wire';
import type { AddressOwners } from './address-owners';
import type { DropReason } from './drop-reason';
import { isEnumeration, letsThrough, type FilterRule } from './filter-rule';
import type { AddressRecord, MdnsMessage } from './mdns-message';
import { MessageEdit } from './message-edit';
import { dropNsec } from './nsec';
import { isLinkLocal } from './on-link';
import { rulesFor, type Policy } from './policy';
import type { Exit, Segment } from './topology';
import type { Translation } from './translation';

export interface MdnsOutputParts {
  /** The message that is passed on. */
  readonly message: MdnsMessage;
  readonly owners: AddressOwners;
  readonly translation: Translation;
}

/** What of a message goes out by an exit. */
export class MdnsOutput {
  readonly #message: MdnsMessage;
  readonly #owners: AddressOwners;
  readonly #translation: Translation;
  /** What goes out by every exit where nothing more is to be changed; null: not made yet. */
  #common: Uint8Array | DropReason | null = null;

  constructor({ message, owners, translation }: MdnsOutputParts) {
    this.#message = message;
    this.#owners = owners;
    this.#translation = translation;
  }

  /** Another message has been read. */
  begin(): void {
    this.#common = null;
  }

  /** Remembers whose names these are: who announces them directly on a link (RFC 6762 §9). */
  learn(ifindex: number, now: Millis): void {
    if (!this.#message.isResponse) return;
    const { scan } = this.#message;
    for (const { entry, name } of this.#message.addresses)
      this.#owners.note(name, ifindex, addressText(scan, entry), scan.ttlSec(entry), now);
  }

  /** The bytes for all exits alike, or why nothing goes out at all; null: exits may differ. */
  everywhere(policy: Policy): Uint8Array | DropReason | null {
    const isAlike =
      policy.filters.length === 0 &&
      this.#message.addresses.length === 0 &&
      !this.#translation.mayConcern(this.#message.hasReverse, this.#message.hasRecords);
    return isAlike ? this.#alike(policy) : null;
  }

  /** The bytes for an exit, or why nothing goes there. `ingress`: where the message came from. `isLegacy`: to a one-shot querier. */
  payloadFor(
    exit: Exit,
    ingress: Segment | undefined,
    policy: Policy,
    isLegacy: boolean,
    now: Millis,
  ): Uint8Array | DropReason {
    const rules = rulesFor(policy, exit, this.#message.purpose);
    const conflicts = this.#conflicts(exit, now);
    const translation = this.#translation;
    const isTranslated = translation.concerns(this.#message, exit, ingress);
    if (rules.length === 0 && conflicts.length === 0 && !isTranslated && !isLegacy)
      return this.#alike(policy);
    const edit = this.#edited(policy);
    let reason: DropReason = 'link-local-only';
    if (this.#filter(edit, rules)) reason = 'filtered';
    if (this.#dropConflicts(edit, conflicts)) reason = 'address-conflict';
    if (isTranslated && exit.way === 'to-lan')
      reason = translation.outwards(this.#message.scan, edit, exit) ?? reason;
    if (isTranslated && exit.way === 'to-guest') translation.inwards(this.#message.scan, edit, exit, ingress);
    return this.#finish(edit, reason, isLegacy);
  }

  #alike(policy: Policy): Uint8Array | DropReason {
    return (this.#common ??= this.#message.isPlain
      ? this.#message.scan.bytes
      : this.#finish(this.#edited(policy), 'link-local-only', false));
  }

  /** What is done whatever the exit: QU cleared (RFC 6762 §5.4; answers then come to the group), link-local addresses left out. */
  #edited(policy: Policy): MessageEdit {
    const { scan } = this.#message;
    const edit = new MessageEdit(scan);
    if (this.#message.hasUnicastQuestion)
      for (let entry = 0; entry < scan.questions; entry++) {
        const at = scan.classAt(entry);
        edit.patch(at, Uint8Array.of((scan.bytes[at] ?? 0) & 0x7f));
      }
    if (this.#message.hasLinkLocal && !policy.isOneLink) this.#dropLinkLocal(edit);
    return edit;
  }

  #dropLinkLocal(edit: MessageEdit): void {
    const { scan } = this.#message;
    const dropped = this.#message.addresses.filter(({ entry }) =>
      isLinkLocal(scan.bytes, scan.rdata(entry), scan.rdataLength(entry)),
    );
    for (const { entry } of dropped) edit.drop(entry);
    // An NSEC that denies a type of which some records stay would deny them.
    for (const { entry: gone, name } of dropped) {
      const type = scan.type(gone);
      const stays = this.#message.addresses.some(
        (each) => each.name === name && scan.type(each.entry) === type && !edit.isDropped(each.entry),
      );
      if (stays) dropNsec(scan, edit, name, type);
    }
  }

  /** Address records of names that hosts of the exit's link have themselves. */
  #conflicts({ segment }: Exit, now: Millis): readonly AddressRecord[] {
    if (this.#message.addresses.length === 0 || !this.#message.isResponse) return NONE;
    return this.#message.addresses.filter(({ name }) => this.#owners.isOwnedOn(name, segment.ifindex, now));
  }

  #dropConflicts(edit: MessageEdit, conflicts: readonly AddressRecord[]): boolean {
    const { scan } = this.#message;
    for (const { entry, name } of conflicts) {
      edit.drop(entry);
      dropNsec(scan, edit, name);
    }
    return conflicts.length > 0;
  }

  /** Whether they leave anything out. */
  #filter(edit: MessageEdit, rules: readonly FilterRule[]): boolean {
    if (rules.length === 0) return false;
    const { scan } = this.#message;
    let isFiltered = false;
    for (let entry = 0; entry < scan.entries; entry++) {
      const name = nameAt(scan.bytes, scan.name(entry));
      const isPointer =
        entry >= scan.questions && scan.type(entry) === DnsType.PTR && scan.rdataLength(entry) > 0;
      const target = isPointer ? nameAt(scan.bytes, scan.rdata(entry)) : null;
      const passes =
        (isEnumeration(name) || letsThrough(rules, name)) && (target === null || letsThrough(rules, target));
      if (passes) continue;
      edit.drop(entry);
      isFiltered = true;
    }
    return isFiltered;
  }

  /** A message that says or asks nothing any more does not go out. */
  #finish(edit: MessageEdit, reason: DropReason, plainSrv: boolean): Uint8Array | DropReason {
    if (edit.isDropping) {
      const { questions, answers } = edit.hasLost;
      if (this.#message.isResponse ? answers : questions || (this.#message.scan.questions === 0 && answers))
        return reason;
    }
    return edit.apply(plainSrv);
  }
}

const NONE: readonly AddressRecord[] = [];

function addressText(scan: DnsScan, entry: number): string {
  const at = scan.rdata(entry);
  return String.fromCharCode(...scan.bytes.subarray(at, at + scan.rdataLength(entry)));
}
