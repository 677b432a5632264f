import type { FrameBatch } from './api/batch';
import type { Received } from './raw';

/** Numbers of a row; addon.h has the same. */
export const COLUMNS = 8;

/** Columns of the table; addon.h has the same order. */
const COLUMN = {
  offset: 0,
  length: 1,
  wireLength: 2,
  ifindex: 3,
  packetType: 4,
  protocol: 5,
  status: 6,
  vlan: 7,
} as const;

type Column = (typeof COLUMN)[keyof typeof COLUMN];

const TP_STATUS_CSUMNOTREADY = 8; // linux/if_packet.h

/** The batch that lies in the receive buffers now. One object serves all batches: only `count` changes. */
export class ReceivedFrames implements FrameBatch {
  readonly buffer: Uint8Array;
  readonly #table: Int32Array;
  /** By index, since frames of one length follow each other; where they lie is always the same. */
  readonly #views: Uint8Array[] = []; // BOUNDED: by the batch
  #count = 0;

  constructor({ scratch, table }: Received) {
    this.buffer = scratch;
    this.#table = table;
  }

  get count(): number {
    return this.#count;
  }

  /** This batch, with the number of frames that C reported. */
  holding(count: number): this {
    this.#count = count;
    return this;
  }

  frame(index: number): Uint8Array {
    const known = this.#views[index];
    const length = this.length(index);
    if (known !== undefined && known.length === length) return known;
    const view = new Uint8Array(this.buffer.buffer, this.offset(index), length);
    this.#views[index] = view;
    return view;
  }

  /** One frame's bytes, the receiver's own. */
  copy(index: number): Uint8Array {
    const offset = this.offset(index);
    return this.buffer.slice(offset, offset + this.length(index));
  }

  offset(index: number): number {
    return this.#at(index, COLUMN.offset);
  }

  length(index: number): number {
    return this.#at(index, COLUMN.length);
  }

  wireLength(index: number): number {
    return this.#at(index, COLUMN.wireLength);
  }

  ifindex(index: number): number {
    return this.#at(index, COLUMN.ifindex);
  }

  packetType(index: number): number {
    return this.#at(index, COLUMN.packetType);
  }

  protocol(index: number): number {
    return this.#at(index, COLUMN.protocol);
  }

  checksumNotReady(index: number): boolean {
    return (this.#at(index, COLUMN.status) & TP_STATUS_CSUMNOTREADY) !== 0;
  }

  vlan(index: number): number {
    return this.#at(index, COLUMN.vlan);
  }

  /** UDP datagrams have two facts in the place of packet facts. */
  port(index: number): number {
    return this.#at(index, COLUMN.packetType);
  }

  hopLimit(index: number): number {
    return this.#at(index, COLUMN.protocol);
  }

  #at(index: number, column: Column): number {
    if (index >= this.#count) throw new RangeError(`frame ${index} of ${this.#count}`);
    return this.#table[index * COLUMNS + column] ?? 0;
  }
}
