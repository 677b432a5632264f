import type { Millis } from '@pp/base';
import { findOption, isLinkAddressOption, isUnspecified, NdOptionType, RaFlag } from '@pp/wire';
import { macNumber } from './keys';
import type { NdPacket } from './packet';
import { mix, mixByte, RecentCopies, startHash, type Hash } from './recent-copies';

/** Equal advertisements in one window from one interface; more are a circle that changes nothing. */
const MAX_REPEATED_ADVERTS = 4;

/** The messages of the last moments and who sent them where: two proxies in parallel would pass a message round for ever. */
export class RecentMessages {
  readonly #copies: RecentCopies;

  constructor(window: Millis) {
    this.#copies = new RecentCopies(window);
  }

  /** Notes the message, and tells whether it has been here before by another way. */
  hasLooped(packet: NdPacket, ifindex: number, now: Millis): boolean {
    const seen = this.#copies.note(fingerprint(packet), ifindex, macNumber(packet.sourceMac), now);
    if (seen === 'new') return false;
    if (seen === 'same way')
      return packet.message.kind === 'router-advert' && this.#copies.countCopy() > MAX_REPEATED_ADVERTS;
    return !(mayCross(packet) && this.#copies.countCopy() === 1);
  }
}

/**
 * Two hosts on two segments may check the same address at once, RFC 4862 §5.4.3, and must hear each other. Without a nonce (RFC 7527)
 * their messages are equal, so one copy may cross.
 */
const mayCross = ({ source, message }: NdPacket): boolean =>
  message.kind === 'neighbor-solicit' &&
  isUnspecified(source) &&
  findOption(message.options, NdOptionType.nonce) === undefined;

/** Of all that a proxy leaves alone. */
function fingerprint({ source, destination, message, icmp, fixedBytes }: NdPacket): Hash {
  const hash = startHash();
  mix(hash, source, 0, 16);
  mix(hash, destination, 0, 16);
  mixByte(hash, icmp[0] ?? 0);
  mix(hash, icmp, 4, 5);
  mixByte(hash, (icmp[5] ?? 0) & (message.kind === 'router-advert' ? ~RaFlag.proxy : 0xff));
  mix(hash, icmp, 6, fixedBytes);
  if (message.kind !== 'router-advert') {
    for (const option of message.options) {
      if (!isLinkAddressOption(option)) mix(hash, option.bytes, 0, option.bytes.length);
    }
  }
  return hash;
}
