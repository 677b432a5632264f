import type { FrameFacts } from '@pp/ports';
import {
  decodeEthernet,
  decodeIcmp6,
  decodeIpv6,
  decodeNd,
  ETHERTYPE_IPV6,
  findOption,
  icmp6Checksum,
  Icmp6Type,
  IPV6_HEADER,
  isGroupAddress,
  isIpv4Mapped,
  isLinkAddressOption,
  isLoopback,
  isMulticast,
  isUnspecified,
  linkAddressOf,
  ND_FIXED_BYTES,
  ND_HOP_LIMIT,
  NdOptionType,
  NextHeader,
  type DecodeFault,
  type EthernetFrame,
  type Ipv6Packet,
  type NdMessage,
  type NdOption,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import { messageFault } from './message-fault';

/** A neighbour discovery message that passed every check that needs no knowledge of the network. All bytes are views of the frame. */
export interface NdPacket {
  readonly destinationMac: Uint8Array;
  readonly sourceMac: Uint8Array;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly message: NdMessage;
  /** The IPv6 header as it came. */
  readonly header: Uint8Array;
  /** The whole ICMPv6 message as it came. */
  readonly icmp: Uint8Array;
  /** Bytes of `icmp` before the options. */
  readonly fixedBytes: number;
  /** False: the checksum was left to hardware, and must be made before the message goes anywhere. */
  readonly checksumReady: boolean;
}

export type Admission =
  { readonly ok: true; readonly packet: NdPacket } | { readonly ok: false; readonly reason: DropReason };

const refused = (reason: DropReason): Admission => ({ ok: false, reason });

/** The drop list of spec/nd-and-relays.md 2.5, as far as one frame alone tells. */
export function admit(frame: Uint8Array, facts: FrameFacts): Admission {
  if (facts.truncated) return refused('truncated');
  if (facts.vlan !== 0) return refused('vlan');
  const ethernet = decodeEthernet(frame);
  if (!ethernet.ok || ethernet.value.etherType !== ETHERTYPE_IPV6) return refused('not-nd');
  const ip = decodeIpv6(ethernet.value.payload);
  if (!ip.ok) return refused(ip.fault === 'version' ? 'ip-version' : 'ip-length');
  const fault = addressFault(ethernet.value, ip.value) ?? headerFault(ip.value);
  return fault === null ? admitMessage(ethernet.value, ip.value, facts) : refused(fault);
}

function addressFault(ethernet: EthernetFrame, { source, destination }: Ipv6Packet): DropReason | null {
  if (isGroupAddress(ethernet.source)) return 'group-source';
  if (isMulticast(source) || isLoopback(source) || isIpv4Mapped(source)) return 'source-address';
  if (isUnspecified(destination) || isLoopback(destination)) return 'destination-address';
  if (isGroupAddress(ethernet.destination) && !isMulticast(destination)) return 'group-frame';
  return null;
}

function headerFault({ nextHeader, hopLimit }: Ipv6Packet): DropReason | null {
  if (nextHeader === NextHeader.fragment) return 'fragment';
  if (nextHeader !== NextHeader.icmp6) return EXTENSIONS.includes(nextHeader) ? 'extension-header' : 'not-nd';
  return hopLimit === ND_HOP_LIMIT ? null : 'hop-limit';
}

const EXTENSIONS: readonly number[] = [NextHeader.hopByHop, NextHeader.routing, NextHeader.destination];

function admitMessage(
  ethernet: EthernetFrame,
  { source, destination, payload }: Ipv6Packet,
  { checksumReady }: FrameFacts,
): Admission {
  const icmp = decodeIcmp6(payload);
  const fixedBytes = icmp.ok ? ND_FIXED_BYTES[icmp.value.type] : undefined;
  if (!icmp.ok || fixedBytes === undefined) return refused('not-nd');
  if (icmp.value.code !== 0) return refused('icmp-code');
  if (checksumReady && icmp6Checksum(payload, source, destination) !== 0) return refused('checksum');
  const message = decodeNd(icmp.value);
  if (!message.ok) return refused(decodeReason(message.fault, icmp.value.type));
  const packet: NdPacket = {
    destinationMac: ethernet.destination,
    sourceMac: ethernet.source,
    source,
    destination,
    message: message.value,
    header: ethernet.payload.subarray(0, IPV6_HEADER),
    icmp: payload,
    fixedBytes,
    checksumReady,
  };
  const fault = linkOptionFault(message.value.options) ?? messageFault(packet);
  return fault === null ? { ok: true, packet } : refused(fault);
}

const SHORT: Readonly<Record<number, DropReason>> = {
  [Icmp6Type.routerSolicit]: 'rs-short',
  [Icmp6Type.routerAdvert]: 'ra-short',
  [Icmp6Type.neighborSolicit]: 'ns-short',
  [Icmp6Type.neighborAdvert]: 'na-short',
  [Icmp6Type.redirect]: 'redirect-short',
};

function decodeReason(fault: DecodeFault, type: number): DropReason {
  if (fault === 'option-zero' || fault === 'option-overrun') return fault;
  return SHORT[type] ?? 'not-nd';
}

/** Also in messages where the option does not belong: it must not leak through, and cannot be rewritten. */
function linkOptionFault(options: readonly NdOption[]): DropReason | null {
  for (const option of options) {
    if (!isLinkAddressOption(option)) continue;
    const mac = linkAddressOf(option);
    if (mac === null || isGroupAddress(mac) || mac.every((byte) => byte === 0)) return 'link-option';
  }
  return null;
}

/** The Ethernet address that the sender says it has; without that option, the one it sent from. A view. */
export function senderMac({ message, sourceMac }: NdPacket): Uint8Array {
  const type =
    message.kind === 'neighbor-advert' || message.kind === 'redirect'
      ? NdOptionType.targetLinkAddress
      : NdOptionType.sourceLinkAddress;
  const option = findOption(message.options, type);
  return (option === undefined ? null : linkAddressOf(option)) ?? sourceMac;
}

/** Facts of a frame that was admitted when it came, for admitting a copy of it. */
export const CHECKED_BEFORE: FrameFacts = {
  outgoing: false,
  forOthers: false,
  vlan: 0,
  checksumReady: false,
  truncated: false,
};
