import type { Millis } from '@pp/base';
import type { DataPacket } from './data-packet';
import { macNumber } from './keys';
import { mix, mixByte, RecentCopies, startHash } from './recent-copies';

/** Of a packet: headers and the beginning of what they carry tell multicasts apart. */
const HASHED_BYTES = 256;

/** The multicast packets of the last moments, as RecentMessages. */
export class RecentData {
  /** Made when it is needed: in route mode nobody has data. */
  #copies: RecentCopies | null = null;

  constructor(private readonly window: Millis) {}

  hasLooped({ packet, sourceMac }: DataPacket, ifindex: number, now: Millis): boolean {
    const hash = startHash();
    mix(hash, packet, 0, Math.min(packet.length, HASHED_BYTES));
    mixByte(hash, packet.length & 0xff);
    this.#copies ??= new RecentCopies(this.window);
    return this.#copies.note(hash, ifindex, macNumber(sourceMac), now) === 'other way';
  }
}
