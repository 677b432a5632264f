import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { viewOf } from '../codec/numbers';
import type { Query } from '../request';
import { compare, forEachElement, layoutOf, type Layout, type Place } from './counted-element';
import { dumpElements, type SetRef } from './elements';
import { messageType, NFGENMSG } from './nfnetlink';

/** What elements are to whoever reads them. */
export interface CountedSetOptions<Key, Element> {
  /** What a key says. Asked once for as long as the kernel shows it; the bytes are lent. */
  readonly keyOf: (bytes: Uint8Array) => Key;
  readonly elementOf: (key: Key, bytes: bigint, packets: bigint) => Element;
}

/** What came after it in the last reading. */
interface Followed<Key, Element> {
  next: Known<Key, Element> | null;
}

/** An element as it was last shown. */
interface Known<Key, Element> extends Followed<Key, Element> {
  readonly key: Key;
  element: Element;
  /** Its place. */
  view: DataView;
  at: number;
  readonly layout: Layout;
  /** Number of the last reading that showed it. */
  reading: number;
}

// linux/netfilter/nf_tables.h
const NFT_MSG_NEWSETELEM = 12;

/**
 * A set whose elements have one expression, a counter, read whenever somebody asks for the counters. The kernel shows elements in the
 * same order until one comes or goes, so that each is compared with the one that was in its place before: an element that is as it was is
 * the same object, and of one that has only counted nothing but the counts is read.
 */
export class CountedSet<Key, Element> {
  readonly #options: CountedSetOptions<Key, Element>;
  /** By the bytes of the key as Latin-1. BOUNDED: by the elements of two readings. */
  readonly #known = new Map<string, Known<Key, Element>>();
  /** Before the first element. */
  readonly #start: Followed<Key, Element> = { next: null };
  /** The last element of the last reading. */
  #last = this.#start;
  #reading = 0;
  /** Elements of the last reading. */
  #count = 0;

  constructor(options: CountedSetOptions<Key, Element>) {
    this.#options = options;
  }

  /** The elements of `set` now, for one dump; ENOENT. A set of another name but of the same keys may follow. */
  reading(set: SetRef): Query<readonly Element[]> {
    this.#forgetGone();
    this.#reading += 1;
    this.#count = 0;
    this.#last = this.#start;
    return { ...dumpElements(set), decode: (message) => this.#decode(message) };
  }

  /** Throws MalformedError. */
  #decode({ type, body }: NetlinkMessage): readonly Element[] | null {
    if (type !== messageType(NFT_MSG_NEWSETELEM)) return null;
    if (body.length < NFGENMSG) throw new MalformedError(`set element message of ${body.length} bytes`);
    const view = viewOf(body);
    const elements: Element[] = []; // BOUNDED: by one message
    forEachElement(view, NFGENMSG, (at) => {
      elements.push(this.#take({ view, at }));
    });
    this.#count += elements.length;
    return elements;
  }

  #take(place: Place): Element {
    const known = this.#recognized(this.#last.next, place) ?? this.#soughtByKey(place);
    this.#last.next = known;
    this.#last = known;
    return known.element;
  }

  /** Whoever is remembered holds on to the message that showed it. */
  #forgetGone(): void {
    this.#last.next = null;
    if (this.#known.size === this.#count) return;
    for (const [key, { reading }] of this.#known) if (reading !== this.#reading) this.#known.delete(key);
  }

  /** `known`, where that is what is shown. */
  #recognized(known: Known<Key, Element> | null, place: Place): Known<Key, Element> | null {
    if (known === null) return null;
    const difference = compare(known, known.layout, place);
    if (difference === 'other') return null;
    if (difference === 'counts') known.element = this.#elementAt(known.key, place, known.layout);
    known.view = place.view; // not the place itself, of which there would be a new one with each reading
    known.at = place.at;
    known.reading = this.#reading;
    return known;
  }

  #soughtByKey(place: Place): Known<Key, Element> {
    const layout = layoutOf(place);
    const { buffer, byteOffset } = place.view;
    const bytes = Buffer.from(buffer, byteOffset + place.at + layout.key, layout.keyLength);
    const text = bytes.toString('latin1');
    const found = this.#recognized(this.#known.get(text) ?? null, place);
    if (found !== null) return found;
    const key = this.#options.keyOf(bytes);
    const element = this.#elementAt(key, place, layout);
    const { view, at } = place;
    const made = { key, element, view, at, layout, reading: this.#reading, next: null };
    this.#known.set(text, made);
    return made;
  }

  #elementAt(key: Key, { view, at }: Place, { bytes, packets }: Layout): Element {
    return this.#options.elementOf(key, view.getBigUint64(at + bytes), view.getBigUint64(at + packets));
  }
}
