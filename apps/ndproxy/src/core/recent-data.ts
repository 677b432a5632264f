import type { Millis } from '@pp/base';
import type { DataPacket } from './data-packet';
import type { Detours } from './detours';
import { macNumber } from './keys';
import { mix, mixByte, RecentCopies, startHash, type Passage } from './recent-copies';

/** Headers and the beginning of what they carry tell packets apart: of multicasts, and of others, which have addresses of two nodes. */
const GROUP_BYTES = 256;
const NODE_BYTES = 104;

/** The packets of the last moments, as RecentMessages. Streams between nodes do not push out what goes to groups. */
export class RecentData {
  /** Made when they are needed: in route mode nobody has data. */
  #toGroups: RecentCopies | null = null;
  #toNodes: RecentCopies | null = null;

  constructor(
    private readonly window: Millis,
    private readonly detours: Detours,
  ) {}

  note({ packet, sourceMac }: DataPacket, isToGroup: boolean, ifindex: number, now: Millis): Passage {
    const hash = startHash();
    mix(hash, packet, 0, Math.min(packet.length, isToGroup ? GROUP_BYTES : NODE_BYTES));
    mixByte(hash, packet.length & 0xff);
    const copies = isToGroup ? this.#groups() : this.#nodes();
    return copies.note(hash, ifindex, macNumber(sourceMac), now);
  }

  #groups(): RecentCopies {
    return (this.#toGroups ??= new RecentCopies(this.window, this.detours, 14));
  }

  #nodes(): RecentCopies {
    return (this.#toNodes ??= new RecentCopies(this.window, this.detours, 12));
  }
}
