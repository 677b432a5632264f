import type { Millis } from '@pp/base';
import { isUnspecified, NdOptionType, RaFlag } from '@pp/wire';
import type { Detours } from './detours';
import { macNumber } from './keys';
import {
  ICMP_AT,
  isLinkOptionAt,
  optionBytes,
  RA_FLAGS_AT,
  SOURCE_AT,
  SOURCE_MAC_AT,
  type NdPacket,
} from './packet';
import { mix, mixByte, RecentCopies, startHash, type Hash, type Passage } from './recent-copies';

/** Equal advertisements in one window from one interface; more are a circle that changes nothing. */
const MAX_REPEATED_ADVERTS = 4;

/** The messages of the last moments and who sent them where: two proxies in parallel would pass a message round for ever. */
export class RecentMessages {
  readonly #copies: RecentCopies;

  constructor(window: Millis, detours: Detours) {
    this.#copies = new RecentCopies(window, detours, 14);
  }

  note(packet: NdPacket, ifindex: number, now: Millis): Passage {
    const sender = macNumber(packet.frame, SOURCE_MAC_AT);
    const passage = this.#copies.note(fingerprint(packet), ifindex, sender, now);
    if (passage === 'new') return passage;
    if (passage === 'looped') return mayCross(packet) && this.#copies.cross() ? 'again' : passage;
    const isAdvert = packet.kind === 'router-advert';
    return isAdvert && this.#copies.copies > MAX_REPEATED_ADVERTS ? 'looped' : passage;
  }
}

/**
 * Two hosts on two segments may check the same address at once, RFC 4862 §5.4.3, and must hear each other. Without a nonce (RFC 7527)
 * their messages are equal, so one copy may cross.
 */
const mayCross = (packet: NdPacket): boolean =>
  packet.kind === 'neighbor-solicit' &&
  isUnspecified(packet.frame, SOURCE_AT) &&
  packet.optionAt(NdOptionType.nonce) < 0;

/** Of all that a proxy leaves alone. Code and checksum are left out: they say nothing more. */
function fingerprint({ frame, kind, optionsAt }: NdPacket): Hash {
  const hash = startHash();
  mix(hash, frame, SOURCE_AT, ICMP_AT + 1);
  if (kind === 'router-advert') {
    mix(hash, frame, ICMP_AT + 4, RA_FLAGS_AT);
    mixByte(hash, (frame[RA_FLAGS_AT] ?? 0) & ~RaFlag.proxy);
    mix(hash, frame, RA_FLAGS_AT + 1, optionsAt);
    return hash;
  }
  mix(hash, frame, ICMP_AT + 4, optionsAt);
  for (let at = optionsAt; at < frame.length; at += optionBytes(frame, at))
    if (!isLinkOptionAt(frame, at)) mix(hash, frame, at, at + optionBytes(frame, at));
  return hash;
}
