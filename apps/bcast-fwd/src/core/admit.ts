import type { FrameFacts } from '@pp/ports';
import {
  decodeIpv4,
  decodeIpv4Options,
  decodeEthernet,
  ETHERTYPE_IPV4,
  isGroupAddress,
  isSourceRoute,
  PROTOCOL_UDP,
  type DecodeFault,
  type Ipv4Packet,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import { isBroadcastOf, isHostAddress, isOnLink, type RelayLink } from './link';
import { macNumber } from './mac-number';
import type { Own } from './topology';

/** An IPv4 packet, whole or a fragment, that is for everybody on the link it came in on. */
export interface Admitted {
  readonly packet: Ipv4Packet;
  /** Of the sender; null on links without Ethernet. A view. */
  readonly mac: Uint8Array | null;
}

export type Admission =
  | { readonly ok: true; readonly value: Admitted }
  /** `packet`: as far as it could be read, for a trace. */
  | { readonly ok: false; readonly reason: DropReason; readonly packet: Ipv4Packet | null };

const refused = (reason: DropReason, packet: Ipv4Packet | null = null): Admission => ({
  ok: false,
  reason,
  packet,
});

/** Checks a frame's headers and addresses. */
export function admit(link: RelayLink, frame: Uint8Array, facts: FrameFacts, own: Own): Admission {
  if (facts.truncated) return refused('truncated');
  if (facts.vlan !== 0) return refused('vlan');
  if (link.mac === null) return admitPacket(link, frame, null, own);
  const ethernet = decodeEthernet(frame);
  if (!ethernet.ok) return refused('truncated');
  const { source, destination, etherType, payload } = ethernet.value;
  if (etherType !== ETHERTYPE_IPV4) return refused('ip-version');
  if (isGroupAddress(source)) return refused('group-source');
  if (!isGroupAddress(destination)) return refused('unicast-frame');
  return admitPacket(link, payload, source, own);
}

function admitPacket(link: RelayLink, bytes: Uint8Array, mac: Uint8Array | null, own: Own): Admission {
  const decoded = decodeIpv4(bytes);
  if (!decoded.ok) return refused(headerReason(decoded.fault));
  const packet = decoded.value;
  const reason = macFault(mac, own) ?? headerFault(packet) ?? addressFault(link, packet, own);
  return reason === null ? { ok: true, value: { packet, mac } } : refused(reason, packet);
}

const macFault = (mac: Uint8Array | null, { macs }: Own): DropReason | null =>
  mac !== null && macs.has(macNumber(mac)) ? 'own-mac' : null;

function headerReason(fault: DecodeFault): DropReason {
  if (fault === 'version') return 'ip-version';
  if (fault === 'checksum') return 'ip-checksum';
  return fault === 'length' ? 'ip-length' : 'truncated';
}

function headerFault({ ttl, protocol, options }: Ipv4Packet): DropReason | null {
  if (protocol !== PROTOCOL_UDP) return 'not-udp';
  if (ttl === 0) return 'ttl';
  if (options.length === 0) return null;
  const found = decodeIpv4Options(options);
  if (!found.ok) return 'ip-option';
  return found.value.some(isSourceRoute) ? 'source-route' : null;
}

function addressFault(
  link: RelayLink,
  { source, destination }: Ipv4Packet,
  { addresses }: Own,
): DropReason | null {
  if (!isBroadcastOf(link, destination)) return 'not-broadcast';
  if (addresses.has(source)) return 'own-source';
  if (!isHostAddress(link, source)) return 'source-address';
  return isOnLink(link, source) ? null : 'off-link';
}
