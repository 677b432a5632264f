import { isUtf8 } from 'node:buffer';
import { Malformed } from '../errors';
import { SPEC_MAX_ARRAY_BYTES, SPEC_MAX_VALUE_DEPTH } from './limits';
import { isObjectPath } from './names';
import {
  ALIGNMENT,
  parseSignature,
  parseSingleType,
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
  readonly #view: DataView;
  readonly #end: number;
  readonly #isLittle: boolean;
  readonly #fdCount: number;
  #at: number;

  constructor({ bytes, start, end, bigEndian, fdCount }: Marshalled) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
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
      case 'n':
        return this.#view.getInt16(this.#number(2), this.#isLittle);
      case 'q':
        return this.#view.getUint16(this.#number(2), this.#isLittle);
      case 'i':
        return this.#view.getInt32(this.#number(4), this.#isLittle);
      case 'u':
        return this.#u32();
      case 'h':
        return this.#fdIndex();
      case 'x':
        return this.#view.getBigInt64(this.#number(8), this.#isLittle);
      case 't':
        return this.#view.getBigUint64(this.#number(8), this.#isLittle);
      case 'd':
        return this.#view.getFloat64(this.#number(8), this.#isLittle);
      case 's':
        return this.#string();
      case 'o':
        return this.#objectPath();
      case 'g':
        return this.signature();
      default:
        return this.#container(type, depth + 1);
    }
  }

  byte(): number {
    return this.#bytes[this.#skip(1)] ?? 0;
  }

  signature(): string {
    const signature = this.#text(this.byte());
    parseSignature(signature);
    return signature;
  }

  /** Skips padding, which must be zero. */
  align(width: number): void {
    const padding = -this.#at & (width - 1);
    for (let at = this.#skip(padding); at < this.#at; at++) {
      if (this.#bytes[at] !== 0) throw this.#malformed('padding is not zero');
    }
  }

  finish(): void {
    if (!this.isAtEnd) throw this.#malformed('there are bytes after the last value');
  }

  #container(type: ContainerType, depth: number): unknown {
    if (depth > SPEC_MAX_VALUE_DEPTH) throw this.#malformed('values nest deeper than 64');
    switch (type.code) {
      case 'v': {
        const signature = this.signature();
        return new Variant(signature, this.value(parseSingleType(signature), depth));
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
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#skip(length), length);
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
    const path = this.#string();
    if (!isObjectPath(path)) throw this.#malformed('an object path is not valid');
    return path;
  }

  #string(): string {
    return this.#text(this.#u32());
  }

  /** `length` bytes of UTF-8, and the NUL after them. */
  #text(length: number): string {
    const start = this.#skip(length + 1);
    const end = start + length;
    if (this.#bytes[end] !== 0) throw this.#malformed('a string is not ended by a NUL');
    const bytes = this.#bytes.subarray(start, end);
    if (bytes.includes(0)) throw this.#malformed('a string holds a NUL');
    if (!isUtf8(bytes)) throw this.#malformed('a string is not UTF-8');
    return bytes.toString();
  }

  #u32(): number {
    return this.#view.getUint32(this.#number(4), this.#isLittle);
  }

  /** Where a number begins that is as wide as it is aligned. */
  #number(width: number): number {
    this.align(width);
    return this.#skip(width);
  }

  /** Returns where the skipped bytes begin. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw this.#malformed('a value runs past the end');
    this.#at = start + length;
    return start;
  }

  #malformed(what: string): Malformed {
    return new Malformed(`at byte ${this.#at}: ${what}`);
  }
}
