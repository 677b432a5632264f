import { Writer } from '../writer';
import { DnsType, RDATA_WITH_NAMES, type RdataField } from './constants';
import { nameAt, type WireName } from './name';
import type { DnsScan, Section } from './scan';

export interface Reencoding {
  /** Entries that stay; questions and records alike. */
  readonly keep: (entry: number) => boolean;
  /** What stands in the place of a name, of an entry or in its data; the name itself for most. */
  readonly rename: (name: WireName) => WireName;
  /** Data in the place of an entry's own, of a type without names. */
  readonly data?: (entry: number) => Uint8Array | undefined;
  /** RFC 6762 §18.14: the names in SRV data of a reply to a one-shot query are written out. */
  readonly plainSrv?: boolean;
}

/** Pointers have 14 bits. */
const MAX_TARGET = 0x3fff;

/** The message anew, with some entries left out or some names changed. Compresses as much as mDNS allows; all else is as it was. */
export function reencode(scan: DnsScan, edit: Reencoding): Uint8Array {
  return new Reencoder(scan, edit).message();
}

class Reencoder {
  readonly #writer: Writer;
  /** Where each ending of a name was written. BOUNDED: by the labels of one message. */
  readonly #targets = new Map<string, number>();

  constructor(
    private readonly scan: DnsScan,
    private readonly edit: Reencoding,
  ) {
    this.#writer = new Writer(scan.bytes.length);
  }

  message(): Uint8Array {
    const { scan, edit } = this;
    const kept = Array.from({ length: scan.entries }, (_, entry) => entry).filter(edit.keep);
    const count = (section: Section): number =>
      kept.filter((entry) => entry >= scan.questions && scan.section(entry) === section).length;
    this.#writer.u16be(scan.id).u16be(scan.flags);
    this.#writer.u16be(kept.filter((entry) => entry < scan.questions).length);
    this.#writer.u16be(count('answer')).u16be(count('authority')).u16be(count('additional'));
    for (const entry of kept) this.#entry(entry);
    return this.#writer.finish();
  }

  #entry(entry: number): void {
    const { scan } = this;
    this.#name(nameAt(scan.bytes, scan.name(entry)), true);
    const classAt = scan.classAt(entry);
    this.#writer.u16be(scan.type(entry)).u16be(scan.u16(classAt));
    if (entry < scan.questions) return;
    this.#writer.bytes(scan.bytes.subarray(classAt + 2, classAt + 6));
    this.#data(entry);
  }

  #data(entry: number): void {
    const { scan } = this;
    const [type, rdata, length] = [scan.type(entry), scan.rdata(entry), scan.rdataLength(entry)];
    const fields = RDATA_WITH_NAMES.get(type);
    if (fields === undefined || length === 0) {
      const data = this.edit.data?.(entry) ?? scan.bytes.subarray(rdata, rdata + length);
      this.#writer.u16be(data.length).bytes(data);
      return;
    }
    const isPlain = this.edit.plainSrv === true && type === DnsType.SRV;
    const body = this.#writer.length + 2;
    const parts = this.#parts(fields, rdata, rdata + length, body, !isPlain);
    this.#writer.u16be(parts.reduce((sum, part) => sum + part.length, 0));
    for (const part of parts) this.#writer.bytes(part);
  }

  /** The length goes before the data, so the data is made first: `at` is where it will lie. */
  #parts(
    fields: readonly RdataField[],
    from: number,
    end: number,
    at: number,
    isCompressed: boolean,
  ): readonly Uint8Array[] {
    const parts: Uint8Array[] = []; // BOUNDED: three fields
    let [place, target] = [from, at];
    for (const field of fields) {
      const part =
        field === 'name'
          ? this.#compressed(this.edit.rename(nameAt(this.scan.bytes, place)), target, isCompressed)
          : this.scan.bytes.subarray(place, field === 'rest' ? end : place + field);
      parts.push(part);
      place += field === 'name' ? nameLength(this.scan.bytes, place) : part.length;
      target += part.length;
    }
    return parts;
  }

  #name(name: WireName, isCompressed: boolean): void {
    this.#writer.bytes(this.#compressed(this.edit.rename(name), this.#writer.length, isCompressed));
  }

  /** The name as it is written at `target`: its longest ending that is there already is a pointer; its other endings are noted. */
  #compressed(name: WireName, target: number, isCompressed: boolean): Uint8Array {
    for (let at = 0; name[at] !== 0; at += (name[at] ?? 0) + 1) {
      const ending = textOf(name.subarray(at));
      const known = this.#targets.get(ending);
      if (known !== undefined && isCompressed)
        return Uint8Array.of(...name.subarray(0, at), 0xc0 | (known >>> 8), known & 0xff);
      if (known === undefined && target + at <= MAX_TARGET) this.#targets.set(ending, target + at);
    }
    return name;
  }
}

/** With upper and lower case apart: names are relayed as they were spelt. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Of a name that was checked, up to its first pointer. */
function nameLength(bytes: Uint8Array, at: number): number {
  let place = at;
  for (;;) {
    const byte = bytes[place] ?? 0;
    if (byte === 0) return place + 1 - at;
    if (byte >= 0xc0) return place + 2 - at;
    place += byte + 1;
  }
}
