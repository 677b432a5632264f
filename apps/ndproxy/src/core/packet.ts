import {
  decodeNd,
  ETHERNET_HEADER,
  ICMP6_HEADER,
  Icmp6Type,
  IPV6_HEADER,
  IPV6_LENGTH,
  LINK_OPTION_BYTES,
  MAC_LENGTH,
  ND_FIXED_BYTES,
  NdOptionType,
  OPTION_UNIT,
  type NdMessage,
} from '@pp/wire';
import type { DropReason } from './drop-reason';

// Where things are in a frame whose IPv6 header has no extensions: RFC 8200 §3, RFC 4861 §4.
export const SOURCE_MAC_AT = MAC_LENGTH;
export const SOURCE_AT = ETHERNET_HEADER + 8;
export const DESTINATION_AT = ETHERNET_HEADER + 24;
export const ICMP_AT = ETHERNET_HEADER + IPV6_HEADER;
/** Of a router advertisement. */
export const RA_FLAGS_AT = ICMP_AT + 5;
/** Of a neighbour advertisement. */
const NA_FLAGS_AT = ICMP_AT + 4;
/** Of solicitation, neighbour advertisement and redirect; the destination of a redirect follows it. */
export const TARGET_AT = ICMP_AT + 8;
export const REDIRECTED_AT = TARGET_AT + IPV6_LENGTH;

/** A type of message. */
export interface NdType {
  readonly kind: NdMessage['kind'];
  /** Bytes from the ICMPv6 type to the options. */
  readonly fixedBytes: number;
  /** The option that tells the Ethernet address of who speaks, or of whom. */
  readonly linkOption: number;
  readonly ifShort: DropReason;
}

const { sourceLinkAddress, targetLinkAddress } = NdOptionType;
const typeOf = (type: number, kind: NdType['kind'], linkOption: number, ifShort: DropReason): NdType => ({
  kind,
  fixedBytes: ND_FIXED_BYTES[type] ?? 0,
  linkOption,
  ifShort,
});

const ND_TYPES: readonly NdType[] = [
  typeOf(Icmp6Type.routerSolicit, 'router-solicit', sourceLinkAddress, 'rs-short'),
  typeOf(Icmp6Type.routerAdvert, 'router-advert', sourceLinkAddress, 'ra-short'),
  typeOf(Icmp6Type.neighborSolicit, 'neighbor-solicit', sourceLinkAddress, 'ns-short'),
  typeOf(Icmp6Type.neighborAdvert, 'neighbor-advert', targetLinkAddress, 'na-short'),
  typeOf(Icmp6Type.redirect, 'redirect', targetLinkAddress, 'redirect-short'),
];

/** By ICMPv6 type. */
export const ndTypeOf = (type: number): NdType | undefined => ND_TYPES[type - Icmp6Type.routerSolicit];

/**
 * A neighbour discovery message that passed `admit`. All bytes that it gives are views of the frame, made when they are asked for: who
 * looks at every message reads `frame` at the offsets above.
 */
export class NdPacket {
  /** Without what lies behind the packet. */
  readonly frame: Uint8Array;
  readonly #type: NdType;
  /** False: the checksum was left to hardware, and must be made before the message goes anywhere. */
  readonly checksumReady: boolean;

  constructor(frame: Uint8Array, type: NdType, checksumReady: boolean) {
    this.frame = frame;
    this.#type = type;
    this.checksumReady = checksumReady;
  }

  get kind(): NdMessage['kind'] {
    return this.#type.kind;
  }

  get destinationMac(): Uint8Array {
    return this.frame.subarray(0, MAC_LENGTH);
  }

  get sourceMac(): Uint8Array {
    return this.frame.subarray(SOURCE_MAC_AT, SOURCE_MAC_AT + MAC_LENGTH);
  }

  get source(): Uint8Array {
    return this.frame.subarray(SOURCE_AT, SOURCE_AT + IPV6_LENGTH);
  }

  get destination(): Uint8Array {
    return this.frame.subarray(DESTINATION_AT, DESTINATION_AT + IPV6_LENGTH);
  }

  /** The IPv6 header. */
  get header(): Uint8Array {
    return this.frame.subarray(ETHERNET_HEADER, ICMP_AT);
  }

  /** The whole ICMPv6 message. */
  get icmp(): Uint8Array {
    return this.frame.subarray(ICMP_AT);
  }

  /** Of solicitation, neighbour advertisement and redirect. */
  get target(): Uint8Array {
    return this.frame.subarray(TARGET_AT, TARGET_AT + IPV6_LENGTH);
  }

  /** Of a neighbour advertisement, see NaFlag. */
  get naFlags(): number {
    return this.frame[NA_FLAGS_AT] ?? 0;
  }

  /** Bytes of `icmp` before the options. */
  get fixedBytes(): number {
    return this.#type.fixedBytes;
  }

  /** Decoded each time. */
  get message(): NdMessage {
    const body = this.frame.subarray(ICMP_AT + ICMP6_HEADER);
    const message = decodeNd({ type: this.frame[ICMP_AT] ?? 0, body });
    if (!message.ok) throw new Error(`an admitted message does not decode: ${message.fault}`);
    return message.value;
  }

  /** Where the options begin; they end with the frame. */
  get optionsAt(): number {
    return ICMP_AT + this.#type.fixedBytes;
  }

  /** Where the first option of a type is, or -1. */
  optionAt(type: number): number {
    const { frame } = this;
    for (let at = this.optionsAt; at < frame.length; at += optionBytes(frame, at))
      if (frame[at] === type) return at;
    return -1;
  }

  /** It is signed, and a proxy cannot pass it on as it came: RFC 3971, RFC 4389 §9. */
  get isSignedInVain(): boolean {
    if (this.optionAt(NdOptionType.rsaSignature) < 0) return false;
    if (this.kind === 'router-advert') return true; // P is set
    return this.optionAt(sourceLinkAddress) >= 0 || this.optionAt(targetLinkAddress) >= 0;
  }

  /** The Ethernet address that the sender says it (in advertisements: the target) has; without that option, the one it sent from. A view. */
  get senderMac(): Uint8Array {
    const at = this.optionAt(this.#type.linkOption);
    return at < 0 ? this.sourceMac : this.frame.subarray(at + 2, at + LINK_OPTION_BYTES);
  }
}

/** Bytes of the option at `at`; options of length zero were not admitted. */
export const optionBytes = (frame: Uint8Array, at: number): number => (frame[at + 1] || 1) * OPTION_UNIT;

export const isLinkOptionAt = (frame: Uint8Array, at: number): boolean =>
  frame[at] === sourceLinkAddress || frame[at] === targetLinkAddress;
