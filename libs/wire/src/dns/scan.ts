import { addressLength, DNS_HEADER_LENGTH, RDATA_WITH_NAMES, type RdataField } from './constants';
import { nameFaultOf, skipName, type NameFault } from './name';

/** Why bytes are no DNS message. Closed: counters are kept by it. */
export type DnsFault =
  | NameFault
  /** Shorter than a header. */
  | 'dns-short'
  /** Fewer questions or records than the header claims, or one that goes past the end. */
  | 'dns-truncated'
  /** More questions and records than any message needs. */
  | 'dns-count'
  /** Data of a record that its type cannot have. */
  | 'dns-rdata'
  /** Bytes after the last record. */
  | 'dns-slack';

export type Section = 'answer' | 'authority' | 'additional';
const SECTIONS: readonly Section[] = ['answer', 'authority', 'additional'];

/** BOUNDED: a message of 9,000 bytes holds fewer records; one with more questions than this is made to hurt. */
export const MAX_ENTRIES = 1024;

const COLUMNS = 6;
const [NAME, TYPE, CLASS_AT, RDATA, RDATA_LENGTH, SECTION] = [0, 1, 2, 3, 4, 5];

/**
 * A message whose every name and record was checked, as places in its bytes: questions are entries 0 to `questions` - 1, records follow.
 * One object serves all messages: reading the next one forgets this one. The bytes are borrowed as long.
 */
export class DnsScan {
  bytes: Uint8Array = new Uint8Array(0);
  id = 0;
  flags = 0;
  questions = 0;
  /** Questions and records. */
  entries = 0;
  readonly #rows = new Int32Array(MAX_ENTRIES * COLUMNS);
  readonly #sectionCounts = [0, 0, 0];
  #at = 0;
  #fault: DnsFault | null = null;

  /** null: it is one. */
  read(bytes: Uint8Array): DnsFault | null {
    this.bytes = bytes;
    this.#at = DNS_HEADER_LENGTH;
    this.#fault = null;
    this.questions = this.entries = 0;
    if (bytes.length < DNS_HEADER_LENGTH) return 'dns-short';
    this.id = this.u16(0);
    this.flags = this.u16(2);
    for (let left = this.u16(4); left > 0 && this.#isSound(); left--) this.#question();
    this.questions = this.entries;
    for (let section = 0; section < SECTIONS.length; section++) {
      const count = this.u16(6 + 2 * section);
      this.#sectionCounts[section] = count;
      for (let left = count; left > 0 && this.#isSound(); left--) this.#record(section);
    }
    if (this.#isSound() && this.#at !== bytes.length) this.#fault = 'dns-slack';
    return this.#fault;
  }

  u16(at: number): number {
    return ((this.bytes[at] ?? 0) << 8) | (this.bytes[at + 1] ?? 0);
  }

  countOf(section: Section): number {
    return this.#sectionCounts[section === 'answer' ? 0 : section === 'authority' ? 1 : 2] ?? 0;
  }

  /** Where the entry's name begins. */
  name(entry: number): number {
    return this.#cell(entry, NAME);
  }

  type(entry: number): number {
    return this.#cell(entry, TYPE);
  }

  /** Where the 16 bits of the class are; the TTL of a record follows them. */
  classAt(entry: number): number {
    return this.#cell(entry, CLASS_AT);
  }

  ttlSec(entry: number): number {
    const at = this.classAt(entry) + 2;
    return this.u16(at) * 0x10000 + this.u16(at + 2);
  }

  /** Where the data begins; of a question: 0. */
  rdata(entry: number): number {
    return this.#cell(entry, RDATA);
  }

  rdataLength(entry: number): number {
    return this.#cell(entry, RDATA_LENGTH);
  }

  section(entry: number): Section {
    return SECTIONS[this.#cell(entry, SECTION)] ?? 'additional';
  }

  #isSound(): boolean {
    return this.#fault === null;
  }

  #cell(entry: number, column: number): number {
    return this.#rows[entry * COLUMNS + column] ?? 0;
  }

  /** Name, type, class. */
  #question(): void {
    const name = this.#at;
    this.#name(this.bytes.length);
    const type = this.u16(this.#at);
    this.#advance(4);
    this.#add(name, type, this.#at - 2, 0, 0, 0);
  }

  /** Name, type, class, TTL, length and data. */
  #record(section: number): void {
    const name = this.#at;
    this.#name(this.bytes.length);
    const fixed = this.#at;
    this.#advance(10);
    if (!this.#isSound()) return;
    const [type, length, rdata] = [this.u16(fixed), this.u16(fixed + 8), this.#at];
    this.#advance(length);
    if (!this.#isSound()) return;
    this.#data(type, rdata, length);
    this.#add(name, type, fixed + 2, rdata, length, section);
  }

  /** Names in data may point to before it, but must end with it. */
  #data(type: number, rdata: number, length: number): void {
    const fields = RDATA_WITH_NAMES.get(type);
    const fixed = addressLength(type);
    if (fixed !== 0 && length !== fixed) this.#fault = 'dns-rdata';
    if (fields === undefined || length === 0) return; // RFC 2136 §2.4: a record without data
    const after = this.#at;
    this.#at = rdata;
    for (const field of fields) this.#field(field, after);
    if (this.#isSound() && this.#at !== after) this.#fault = 'dns-rdata';
    this.#at = after;
  }

  #field(field: RdataField, end: number): void {
    if (field === 'name') this.#name(end);
    else this.#at = field === 'rest' ? Math.max(this.#at, end) : this.#at + field;
  }

  #name(end: number): void {
    const length = skipName(this.bytes, this.#at, end);
    if (length < 0) this.#fault ??= nameFaultOf(length);
    else this.#at += length;
  }

  #advance(count: number): void {
    this.#at += count;
    if (this.#at > this.bytes.length) this.#fault ??= 'dns-truncated';
  }

  #add(
    name: number,
    type: number,
    classAt: number,
    rdata: number,
    rdataLength: number,
    section: number,
  ): void {
    if (!this.#isSound()) return;
    if (this.entries >= MAX_ENTRIES) {
      this.#fault = 'dns-count';
      return;
    }
    const row = this.entries++ * COLUMNS;
    this.#rows[row + NAME] = name;
    this.#rows[row + TYPE] = type;
    this.#rows[row + CLASS_AT] = classAt;
    this.#rows[row + RDATA] = rdata;
    this.#rows[row + RDATA_LENGTH] = rdataLength;
    this.#rows[row + SECTION] = section;
  }
}
