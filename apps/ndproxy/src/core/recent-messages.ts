import type { Millis } from '@pp/base';
import { findOption, isLinkAddressOption, isUnspecified, NdOptionType, RaFlag } from '@pp/wire';
import { macNumber } from './keys';
import type { NdPacket } from './packet';

/** BOUNDED: slots of fixed tables; a message takes the place of what was in its slot. */
const SLOTS = 1 << 14;
/** Equal advertisements in one window from one interface; more are a circle that changes nothing. */
const MAX_REPEATED_ADVERTS = 4;

/**
 * The messages of the last moments and who sent them where. The same message on another interface, or from another Ethernet address, is
 * a copy that some other way between the segments has brought back: two proxies in parallel would pass it round for ever.
 */
export class RecentMessages {
  readonly #first = new Int32Array(SLOTS);
  readonly #second = new Int32Array(SLOTS);
  readonly #ifindex = new Int32Array(SLOTS);
  readonly #sender = new Float64Array(SLOTS);
  readonly #seen = new Float64Array(SLOTS).fill(-Infinity);
  readonly #copies = new Uint16Array(SLOTS);

  constructor(private readonly window: Millis) {}

  /** Notes the message, and tells whether it has been here before by another way. */
  hasLooped(packet: NdPacket, ifindex: number, now: Millis): boolean {
    const [first, second] = fingerprint(packet);
    const slot = first & (SLOTS - 1);
    const sender = macNumber(packet.sourceMac);
    const known =
      this.#first[slot] === first &&
      this.#second[slot] === second &&
      now - (this.#seen[slot] ?? 0) < this.window;
    if (!known) {
      this.#first[slot] = first;
      this.#second[slot] = second;
      this.#ifindex[slot] = ifindex;
      this.#sender[slot] = sender;
      this.#seen[slot] = now;
      this.#copies[slot] = 0;
      return false;
    }
    if (this.#ifindex[slot] === ifindex && this.#sender[slot] === sender) {
      if (packet.message.kind !== 'router-advert') return false;
      return this.#countCopy(slot) > MAX_REPEATED_ADVERTS;
    }
    return !(mayCross(packet) && this.#countCopy(slot) === 1);
  }

  #countCopy(slot: number): number {
    const copies = Math.min((this.#copies[slot] ?? 0) + 1, 0xffff);
    this.#copies[slot] = copies;
    return copies;
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

/** Two hashes (FNV-1a, and one with another prime) of all that a proxy leaves alone. */
function fingerprint({
  source,
  destination,
  message,
  icmp,
  fixedBytes,
}: NdPacket): readonly [number, number] {
  HASH[0] = -2128831035;
  HASH[1] = 5381;
  mix(source, 0, 16);
  mix(destination, 0, 16);
  mixByte(icmp[0] ?? 0);
  mix(icmp, 4, 5);
  mixByte((icmp[5] ?? 0) & (message.kind === 'router-advert' ? ~RaFlag.proxy : 0xff));
  mix(icmp, 6, fixedBytes);
  if (message.kind !== 'router-advert') {
    for (const option of message.options) {
      if (!isLinkAddressOption(option)) mix(option.bytes, 0, option.bytes.length);
    }
  }
  return [HASH[0], HASH[1]];
}

const HASH: [number, number] = [0, 0]; // scratch of one call

function mix(bytes: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) mixByte(bytes[i] ?? 0);
}

function mixByte(byte: number): void {
  HASH[0] = Math.imul(HASH[0] ^ byte, 16777619);
  HASH[1] = (Math.imul(HASH[1], 33) + byte) | 0;
}
