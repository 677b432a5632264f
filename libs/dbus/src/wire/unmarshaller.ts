import { isUtf8 } from 'node:buffer';
import { Malformed } from '../errors';
import { SPEC_MAX_ARRAY_BYTES, SPEC_MAX_VALUE_DEPTH } from './limits';
import { isObjectPath } from './names';
import {
  ALIGNMENT,
  parseSignature,
  parseSingleType,
  signatureOf,
  SINGLE_OF_BYTE,
  type ContainerType,
  type DictType,
  type Type,
} from './signature';
import { Variant } from './values';

/** Marshalled values, unchecked. Alignment is counted from the first byte of `bytes`. */
export interface Marshalled {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly bigEndian: boolean;
  /** Descriptors that came beside the bytes; an `h` must be an index below this. */
  readonly fdCount: number;
}

/**
 * Reads values from the front, and checks every byte on the way (D-Bus Specification, "Marshalling"): bounds, padding, strings,
 * booleans, signatures, object paths, array lengths, depth. Whatever is wrong throws `Malformed`. Bytes are views of the message.
 */
export class Unmarshaller {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #isLittle: boolean;
  readonly #fdCount: number;
  #at: number;

  constructor({ bytes, start, end, bigEndian, fdCount }: Marshalled) {
    this.#bytes = bytes;
    this.#end = end;
    this.#isLittle = !bigEndian;
    this.#fdCount = fdCount;
    this.#at = start;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** `depth`: how many containers the value is in. */
  value(type: Type, depth = 0): unknown {
    switch (type.code) {
      case 'y':
        return this.byte();
      case 'b':
        return this.#boolean();
      case 'u':
        return this.#u32();
      case 'h':
        return this.#fdIndex();
      case 's':
        return this.#text(this.#u32());
      case 'o':
        return this.#objectPath();
      case 'g':
        return this.signature();
      case 'v':
      case 'a':
      case '(':
      case '{':
        return this.#container(type, depth + 1);
      default:
        return this.#number(type.code);
    }
  }

  byte(): number {
    return this.#bytes[this.#skip(1, 1)] ?? 0;
  }

  signature(): string {
    const signature = this.#text(this.byte());
    parseSignature(signature);
    return signature;
  }

  /** A signature of exactly one type, as a variant begins with. */
  singleType(): Type {
    const isOne = this.#bytes[this.#at] === 1 && this.#bytes[this.#at + 2] === 0;
    const type = isOne ? SINGLE_OF_BYTE[this.#bytes[this.#at + 1] ?? 0] : undefined;
    if (type === undefined) return parseSingleType(this.signature());
    this.#skip(1, 3);
    return type;
  }

  /** Skips padding, which must be zero. */
  align(width: number): void {
    this.#skip(width, 0);
  }

  finish(): void {
    if (!this.isAtEnd) throw this.#malformed('there are bytes after the last value');
  }

  #container(type: ContainerType, depth: number): unknown {
    if (depth > SPEC_MAX_VALUE_DEPTH) throw this.#malformed('values nest deeper than 64');
    switch (type.code) {
      case 'v': {
        const inner = this.singleType();
        return new Variant(signatureOf(inner), this.value(inner, depth));
      }
      case '(':
        this.align(8);
        return type.members.map((member) => this.value(member, depth));
      case '{':
        return new Map(this.#elements(8, () => this.#dictEntry(type, depth + 1)));
      case 'a':
        if (type.element.code === 'y') return this.#byteArray();
        return this.#elements(ALIGNMENT[type.element.code], () => this.value(type.element, depth));
    }
  }

  #dictEntry({ key, value }: DictType, depth: number): [unknown, unknown] {
    if (depth > SPEC_MAX_VALUE_DEPTH) throw this.#malformed('values nest deeper than 64');
    this.align(8);
    return [this.value(key, depth), this.value(value, depth)];
  }

  #elements<T>(width: number, read: () => T): T[] {
    const end = this.#arrayEnd(width);
    const elements: T[] = []; // BOUNDED: each takes bytes of the message
    while (this.#at < end) elements.push(read());
    if (this.#at !== end) throw this.#malformed('an array does not end where an element ends');
    return elements;
  }

  #byteArray(): Uint8Array {
    const length = this.#arrayEnd(1) - this.#at;
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#skip(1, length), length);
  }

  /** Reads the length and the padding, to the first element; returns where the last one ends. */
  #arrayEnd(width: number): number {
    const length = this.#u32();
    if (length > SPEC_MAX_ARRAY_BYTES) throw this.#malformed('an array is longer than 64 MiB');
    this.align(width);
    if (length > this.#end - this.#at) throw this.#malformed('an array runs past the end');
    return this.#at + length;
  }

  #boolean(): boolean {
    const number = this.#u32();
    if (number > 1) throw this.#malformed('a boolean is neither 0 nor 1');
    return number === 1;
  }

  #fdIndex(): number {
    const index = this.#u32();
    if (index >= this.#fdCount) throw this.#malformed('there is no file descriptor of that index');
    return index;
  }

  #objectPath(): string {
    const path = this.#text(this.#u32());
    if (!isObjectPath(path)) throw this.#malformed('an object path is not valid');
    return path;
  }

  /** `length` bytes of UTF-8, and the NUL after them. */
  #text(length: number): string {
    const start = this.#skip(1, length + 1);
    const end = start + length;
    if (this.#bytes[end] !== 0) throw this.#malformed('a string is not ended by a NUL');
    const text = this.#bytes.toString('utf8', start, end);
    if (text.includes('\0')) throw this.#malformed('a string holds a NUL');
    // What is no UTF-8 is decoded to this character, which may also stand there by right.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, end)))
      throw this.#malformed('a string is not UTF-8');
    return text;
  }

  #u32(): number {
    const at = this.#skip(4, 4);
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  #number(code: 'n' | 'q' | 'i' | 'x' | 't' | 'd'): number | bigint {
    const at = this.#skip(ALIGNMENT[code], ALIGNMENT[code]);
    const bytes = this.#bytes;
    const isLittle = this.#isLittle;
    switch (code) {
      case 'n':
        return isLittle ? bytes.readInt16LE(at) : bytes.readInt16BE(at);
      case 'q':
        return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
      case 'i':
        return isLittle ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
      case 'x':
        return isLittle ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at);
      case 't':
        return isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
      case 'd':
        return isLittle ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at);
    }
  }

  /** Skips zeros to a multiple of `width`, then `length` bytes; returns where these begin. */
  #skip(width: number, length: number): number {
    const start = (this.#at + width - 1) & -width;
    if (length > this.#end - start) throw this.#malformed('a value runs past the end');
    for (; this.#at < start; this.#at++) {
      if (this.#bytes[this.#at] !== 0) throw this.#malformed('padding is not zero');
    }
    this.#at = start + length;
    return start;
  }

  #malformed(what: string): Malformed {
    return new Malformed(`at byte ${this.#at}: ${what}`);
  }
}
