import { DBUS_ERROR, DBusError } from '../errors';
import { array, bigint, boolean, double, integer, misfit, objectPath, text } from './fit';
import { MAX_MESSAGE_BYTES, SPEC_MAX_VALUE_DEPTH } from './limits';
import {
  ALIGNMENT,
  parseSignature,
  parseSingleType,
  type ContainerType,
  type DictType,
  type Type,
} from './signature';
import { Variant } from './values';

const FIRST_ROOM = 512; // enough for nearly all messages

/**
 * Writes values one after the other, little-endian (D-Bus Specification, "Marshalling"). Throws `Malformed` for a value that
 * its type forbids, DBusError LimitsExceeded for more than a message may hold.
 */
export class Marshaller {
  readonly #fdCount: number;
  #bytes = Buffer.allocUnsafe(FIRST_ROOM);
  #length = 0;

  /** An `h` must be an index below `fdCount`. */
  constructor(fdCount: number) {
    this.#fdCount = fdCount;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** `depth`: how many containers the value is in. */
  value(type: Type, value: unknown, depth = 0): void {
    switch (type.code) {
      case 'y':
        this.byte(integer(value, 0, 0xff));
        return;
      case 'b':
        this.u32(Number(boolean(value)));
        return;
      case 'u':
        this.u32(integer(value, 0, 0xffff_ffff));
        return;
      case 'h':
        this.u32(integer(value, 0, this.#fdCount - 1));
        return;
      case 's':
        this.string(text(value));
        return;
      case 'o':
        this.string(objectPath(value));
        return;
      case 'g':
        this.signature(text(value));
        return;
      case 'v':
      case 'a':
      case '(':
      case '{':
        this.#container(type, value, depth + 1);
        return;
      default:
        this.#number(type.code, value);
    }
  }

  byte(value: number): void {
    const at = this.#take(1, 1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#take(4, 4);
    this.#bytes.writeUInt32LE(value, at);
  }

  /** Writes over what stands there. */
  u32At(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  signature(signature: string): void {
    parseSignature(signature);
    this.byte(signature.length);
    this.#terminated(signature, signature.length);
  }

  string(value: string): void {
    const length = Buffer.byteLength(value);
    this.u32(length);
    this.#terminated(value, length);
  }

  /** Pads with zeros. */
  align(width: number): void {
    this.#take(width, 0);
  }

  #number(code: 'n' | 'q' | 'i' | 'x' | 't' | 'd', value: unknown): void {
    const at = this.#take(ALIGNMENT[code], ALIGNMENT[code]);
    switch (code) {
      case 'n':
        this.#bytes.writeInt16LE(integer(value, -0x8000, 0x7fff), at);
        return;
      case 'q':
        this.#bytes.writeUInt16LE(integer(value, 0, 0xffff), at);
        return;
      case 'i':
        this.#bytes.writeInt32LE(integer(value, -0x8000_0000, 0x7fff_ffff), at);
        return;
      case 'x':
        this.#bytes.writeBigInt64LE(
          bigint(value, (bits) => BigInt.asIntN(64, bits)),
          at,
        );
        return;
      case 't':
        this.#bytes.writeBigUInt64LE(
          bigint(value, (bits) => BigInt.asUintN(64, bits)),
          at,
        );
        return;
      case 'd':
        this.#bytes.writeDoubleLE(double(value), at);
    }
  }

  #container(type: ContainerType, value: unknown, depth: number): void {
    if (depth > SPEC_MAX_VALUE_DEPTH) misfit('values that nest deeper than 64');
    switch (type.code) {
      case 'v': {
        const variant = value instanceof Variant ? value : misfit('no Variant');
        this.signature(variant.signature);
        this.value(parseSingleType(variant.signature), variant.value, depth);
        return;
      }
      case '(':
        this.#struct(type.members, array(value), depth);
        return;
      case '{':
        this.#dict(type, value instanceof Map ? value : misfit('no Map'), depth);
        return;
      case 'a':
        if (type.element.code === 'y' && value instanceof Uint8Array) this.#byteArray(value);
        else this.#array(type.element, array(value), depth);
    }
  }

  #struct(members: readonly Type[], values: readonly unknown[], depth: number): void {
    if (values.length !== members.length) misfit(`${values.length} values for ${members.length} types`);
    this.align(8);
    members.forEach((member, index) => {
      this.value(member, values[index], depth);
    });
  }

  #dict({ key, value }: DictType, map: ReadonlyMap<unknown, unknown>, depth: number): void {
    const start = this.#beginArray(8);
    for (const entry of map) this.#struct([key, value], entry, depth + 1);
    this.#endArray(start);
  }

  #array(element: Type, values: readonly unknown[], depth: number): void {
    const start = this.#beginArray(ALIGNMENT[element.code]);
    for (const value of values) this.value(element, value, depth);
    this.#endArray(start);
  }

  #byteArray(bytes: Uint8Array): void {
    this.u32(bytes.length);
    const at = this.#take(1, bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Leaves room for the length; returns where that is. The length counts from the first element, after the padding. */
  #beginArray(width: number): { readonly lengthAt: number; readonly start: number } {
    this.u32(0);
    const lengthAt = this.#length - 4;
    this.align(width);
    return { lengthAt, start: this.#length };
  }

  #endArray({ lengthAt, start }: { readonly lengthAt: number; readonly start: number }): void {
    this.u32At(lengthAt, this.#length - start);
  }

  #terminated(value: string, length: number): void {
    if (value.includes('\0')) misfit('a NUL');
    const at = this.#take(1, length + 1);
    this.#bytes.write(value, at);
    this.#bytes[at + length] = 0;
  }

  /** Pads to a multiple of `width`, and returns where the next `count` bytes go; makes room for them. */
  #take(width: number, count: number): number {
    const at = (this.#length + width - 1) & -width;
    if (at + count > this.#bytes.length) this.#grow(at + count);
    for (let pad = this.#length; pad < at; pad++) this.#bytes[pad] = 0;
    this.#length = at + count;
    return at;
  }

  #grow(length: number): void {
    if (length > MAX_MESSAGE_BYTES) {
      throw new DBusError(DBUS_ERROR.limitsExceeded, `a message of ${length} bytes is too large`);
    }
    const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
