import type { Millis } from '@pp/base';
import type { Detours } from './detours';
import { mix, RecentCopies, startHash, type Passage } from './recent-copies';

/** Headers and the beginning of what they carry tell multicasts apart; other packets, of which there are more, these and the end. */
const GROUP_BYTES = 256;
const NODE_BYTES = 64;
const END_BYTES = 16;

/** The packets of the last moments, as RecentMessages. Streams between nodes do not push out what goes to groups. */
export class RecentData {
  /** Made when they are needed: in route mode nobody has data. */
  #toGroups: RecentCopies | null = null;
  #toNodes: RecentCopies | null = null;

  constructor(
    private readonly window: Millis,
    private readonly detours: Detours,
  ) {}

  /** An IPv6 packet. `sender`: see macNumber. */
  note(packet: Uint8Array, isToGroup: boolean, ifindex: number, sender: number, now: Millis): Passage {
    const hash = startHash();
    const { length } = packet;
    const head = Math.min(length, isToGroup ? GROUP_BYTES : NODE_BYTES);
    mix(hash, packet, 0, head);
    if (!isToGroup) mix(hash, packet, Math.max(head, length - END_BYTES), length);
    const copies = isToGroup ? this.#groups() : this.#nodes();
    return copies.note(hash, ifindex, sender, now);
  }

  #groups(): RecentCopies {
    return (this.#toGroups ??= new RecentCopies(this.window, this.detours, 14));
  }

  #nodes(): RecentCopies {
    return (this.#toNodes ??= new RecentCopies(this.window, this.detours, 12));
  }
}
