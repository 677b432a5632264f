import type { FrameBatch } from './api/batch';

// addon.h has the same numbers.
const SCRATCH_BYTES = 1 << 20;
const BATCH = 64;
export const COLUMNS = 8;

/** What C receives into: bytes, and a row of numbers for each frame or datagram. Shared by all sockets of one addon. */
export interface Received {
  readonly scratch: Uint8Array;
  readonly table: Int32Array;
}

export function makeReceived(): Received {
  return { scratch: new Uint8Array(SCRATCH_BYTES), table: new Int32Array(BATCH * COLUMNS) };
}

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
  #count = 0;

  constructor(received: Received) {
    this.buffer = received.scratch;
    this.#table = received.table;
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
    const offset = this.offset(index);
    return this.buffer.subarray(offset, offset + this.length(index));
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
