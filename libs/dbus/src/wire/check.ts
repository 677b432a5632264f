import { isUtf8 } from 'node:buffer';
import { Malformed } from '../errors';
import { SPEC_MAX_ARRAY_BYTES, SPEC_MAX_VALUE_DEPTH } from './limits';
import { isObjectPath } from './names';
import { parseSignature, parseSingleType, type Type, type TypeCode } from './signature';

/** What is to be checked: marshalled values, with alignment counted from the first byte of `bytes`. */
export interface Marshalled {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly bigEndian: boolean;
  /** Descriptors that came beside the bytes; an `h` must be an index below this. */
  readonly fdCount: number;
}

/**
 * Checks every byte from `start` to `end` against `types` (D-Bus Specification, "Marshalling"): bounds, padding, strings, booleans,
 * nested signatures, array lengths, depth. Afterwards `bytes` is little-endian, whatever it was: a big-endian message is turned in
 * place. dbus-next's reader checks none of this and reads 64-bit big-endian numbers with their halves swapped, so it gets only
 * what has passed here. Throws `Malformed`.
 */
export function checkAndNormalise(types: readonly Type[], marshalled: Marshalled): void {
  const checker = new Checker(marshalled);
  for (const type of types) checker.value(type, 0);
  checker.finish();
}

const ALIGNMENT: Readonly<Record<TypeCode, number>> = {
  ...{ y: 1, g: 1, v: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, s: 4, o: 4, a: 4, x: 8, t: 8, d: 8 },
  ...{ '(': 8, '{': 8 },
};

class Checker {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #bigEndian: boolean;
  readonly #fdCount: number;
  #at: number;

  constructor(marshalled: Marshalled) {
    this.#bytes = marshalled.bytes;
    this.#at = marshalled.start;
    this.#end = marshalled.end;
    this.#bigEndian = marshalled.bigEndian;
    this.#fdCount = marshalled.fdCount;
  }

  value(type: Type, depth: number): void {
    this.#align(ALIGNMENT[type.type]);
    switch (type.type) {
      case 'y':
      case 'n':
      case 'q':
      case 'i':
      case 'u':
      case 'x':
      case 't':
      case 'd':
        this.#scalars(ALIGNMENT[type.type], 1);
        return;
      case 'b':
        if (this.#u32() > 1) throw this.#malformed('a boolean is neither 0 nor 1');
        return;
      case 'h':
        if (this.#u32() >= this.#fdCount) throw this.#malformed('there is no file descriptor of that index');
        return;
      case 's':
      case 'o':
        this.#string(type.type);
        return;
      case 'g':
        parseSignature(this.#signature());
        return;
      default:
        this.#container(type, depth + 1);
    }
  }

  finish(): void {
    if (this.#at !== this.#end) throw this.#malformed('there are bytes after the last value');
  }

  #container(type: Type, depth: number): void {
    if (depth > SPEC_MAX_VALUE_DEPTH) throw this.#malformed('values nest deeper than 64');
    if (type.type === 'v') {
      this.value(parseSingleType(this.#signature()), depth);
      return;
    }
    if (type.type === 'a') this.#array(type.child[0], depth);
    else for (const member of type.child) this.value(member, depth);
  }

  #array(element: Type | undefined, depth: number): void {
    const length = this.#u32();
    if (element === undefined) return;
    if (length > SPEC_MAX_ARRAY_BYTES) throw this.#malformed('an array is longer than 64 MiB');
    const width = ALIGNMENT[element.type];
    this.#align(width);
    const end = this.#at + length;
    if (end > this.#end) throw this.#malformed('an array runs past the end');
    if ('ynqiuxtd'.includes(element.type)) {
      if (length % width !== 0) throw this.#malformed('an array does not end where an element ends');
      this.#scalars(width, length / width);
      return;
    }
    while (this.#at < end) this.value(element, depth);
    if (this.#at !== end) throw this.#malformed('an array does not end where an element ends');
  }

  #string(type: 's' | 'o'): void {
    const length = this.#u32();
    const text = this.#terminated(length);
    if (text.includes(0)) throw this.#malformed('a string holds a NUL');
    if (!isUtf8(text)) throw this.#malformed('a string is not UTF-8');
    if (type === 'o' && !isObjectPath(text.toString('latin1')))
      throw this.#malformed('an object path is not valid');
  }

  #signature(): string {
    const length = this.#bytes[this.#skip(1)] ?? 0;
    return this.#terminated(length).toString('latin1');
  }

  /** Skips `length` bytes and the NUL after them. */
  #terminated(length: number): Buffer {
    const start = this.#skip(length + 1);
    if (this.#bytes[start + length] !== 0) throw this.#malformed('a string is not ended by a NUL');
    return this.#bytes.subarray(start, start + length);
  }

  #u32(): number {
    const start = this.#at;
    this.#scalars(4, 1);
    return this.#bytes.readUInt32LE(start);
  }

  #scalars(width: number, count: number): void {
    const start = this.#skip(width * count);
    if (!this.#bigEndian || width === 1) return;
    const numbers = this.#bytes.subarray(start, this.#at);
    if (width === 2) numbers.swap16();
    else if (width === 4) numbers.swap32();
    else numbers.swap64();
  }

  #align(width: number): void {
    const padding = (width - (this.#at % width)) % width;
    const start = this.#skip(padding);
    for (let at = start; at < this.#at; at += 1) {
      if (this.#bytes[at] !== 0) throw this.#malformed('padding is not zero');
    }
  }

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
