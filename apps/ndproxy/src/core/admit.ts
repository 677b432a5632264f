import type { FrameFacts } from '@pp/ports';
import {
  addToSum,
  checksumOf,
  ETHERNET_HEADER,
  ETHERTYPE_IPV6,
  ICMP6_HEADER,
  IPV6_HEADER,
  isGroupAddress,
  isIpv4Mapped,
  isLoopback,
  isMulticast,
  isUnspecified,
  LINK_OPTION_BYTES,
  MAC_LENGTH,
  ND_HOP_LIMIT,
  NextHeader,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import { messageFault } from './message-fault';
import {
  DESTINATION_AT,
  ICMP_AT,
  isLinkOptionAt,
  NdPacket,
  ndTypeOf,
  optionBytes,
  SOURCE_AT,
  SOURCE_MAC_AT,
} from './packet';

export type Admission =
  { readonly ok: true; readonly packet: NdPacket } | { readonly ok: false; readonly reason: DropReason };

const refused = (reason: DropReason): Admission => ({ ok: false, reason });

/** The drop list of spec/nd-and-relays.md 2.5, as far as one frame alone tells. Every message goes through this: nothing is made on the way. */
export function admit(frame: Uint8Array, facts: FrameFacts): Admission {
  if (facts.truncated) return refused('truncated');
  if (facts.vlan !== 0) return refused('vlan');
  const fault = lengthFault(frame) ?? addressFault(frame) ?? headerFault(frame);
  return fault === null ? admitMessage(frame, facts.checksumReady) : refused(fault);
}

const ETHER_TYPE_AT = 12;
// RFC 8200 §3
const LENGTH_AT = ETHERNET_HEADER + 4;
const NEXT_HEADER_AT = ETHERNET_HEADER + 6;
const HOP_LIMIT_AT = ETHERNET_HEADER + 7;

const u16At = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** The frame holds an IPv6 packet, all of it. What lies behind it is padding of the link. */
function lengthFault(frame: Uint8Array): DropReason | null {
  if (frame.length < ETHERNET_HEADER || u16At(frame, ETHER_TYPE_AT) !== ETHERTYPE_IPV6) return 'not-nd';
  if (frame.length > ETHERNET_HEADER && (frame[ETHERNET_HEADER] ?? 0) >>> 4 !== 6) return 'ip-version';
  if (frame.length < ETHERNET_HEADER + IPV6_HEADER) return 'ip-length';
  return ICMP_AT + u16At(frame, LENGTH_AT) > frame.length ? 'ip-length' : null;
}

function addressFault(frame: Uint8Array): DropReason | null {
  if (isGroupAddress(frame, SOURCE_MAC_AT)) return 'group-source';
  if (isMulticast(frame, SOURCE_AT) || isLoopback(frame, SOURCE_AT) || isIpv4Mapped(frame, SOURCE_AT))
    return 'source-address';
  if (isMulticast(frame, DESTINATION_AT)) return null;
  if (isUnspecified(frame, DESTINATION_AT) || isLoopback(frame, DESTINATION_AT)) return 'destination-address';
  return isGroupAddress(frame) ? 'group-frame' : null;
}

function headerFault(frame: Uint8Array): DropReason | null {
  const nextHeader = frame[NEXT_HEADER_AT];
  if (nextHeader === NextHeader.icmp6) return frame[HOP_LIMIT_AT] === ND_HOP_LIMIT ? null : 'hop-limit';
  if (nextHeader === NextHeader.fragment) return 'fragment';
  return EXTENSIONS.has(nextHeader) ? 'extension-header' : 'not-nd';
}

const EXTENSIONS: ReadonlySet<number | undefined> = new Set([
  NextHeader.hopByHop,
  NextHeader.routing,
  NextHeader.destination,
]);

function admitMessage(whole: Uint8Array, checksumReady: boolean): Admission {
  const bytes = u16At(whole, LENGTH_AT);
  const type = ndTypeOf(whole[ICMP_AT] ?? 0);
  if (bytes < ICMP6_HEADER || type === undefined) return refused('not-nd');
  if (whole[ICMP_AT + 1] !== 0) return refused('icmp-code');
  const end = ICMP_AT + bytes;
  if (checksumReady && checksumFault(whole, end)) return refused('checksum');
  if (bytes < type.fixedBytes) return refused(type.ifShort);
  const frame = end === whole.length ? whole : whole.subarray(0, end);
  const packet = new NdPacket(frame, type, checksumReady);
  const fault = optionFault(packet) ?? messageFault(packet);
  return fault === null ? { ok: true, packet } : refused(fault);
}

/** The pseudo-header of RFC 8200 §8.1: the addresses, which lie before the message, its length and its protocol. */
const checksumFault = (frame: Uint8Array, end: number): boolean =>
  checksumOf(addToSum(end - ICMP_AT + NextHeader.icmp6, frame, SOURCE_AT, end)) !== 0;

/**
 * Options that do not fit into the message, or a link-layer address that is none: also in messages where the option does not belong, since
 * it must not leak through, and cannot be rewritten.
 */
function optionFault({ frame, optionsAt }: NdPacket): DropReason | null {
  let isLinkFaulty = false;
  for (let at = optionsAt; at < frame.length; at += optionBytes(frame, at)) {
    if (at + 1 === frame.length) return 'option-overrun';
    if (frame[at + 1] === 0) return 'option-zero';
    if (at + optionBytes(frame, at) > frame.length) return 'option-overrun';
    isLinkFaulty ||= isLinkOptionAt(frame, at) && !isStationAt(frame, at);
  }
  return isLinkFaulty ? 'link-option' : null;
}

/** A link-layer address option with the Ethernet address of one station. */
function isStationAt(frame: Uint8Array, at: number): boolean {
  if (optionBytes(frame, at) !== LINK_OPTION_BYTES || isGroupAddress(frame, at + 2)) return false;
  for (let i = at + 2; i < at + 2 + MAC_LENGTH; i++) if (frame[i] !== 0) return true;
  return false;
}

/** Facts of a frame that was admitted when it came, for admitting a copy of it. */
export const CHECKED_BEFORE: FrameFacts = {
  outgoing: false,
  vlan: 0,
  checksumReady: false,
  truncated: false,
};
