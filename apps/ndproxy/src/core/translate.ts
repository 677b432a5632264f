import {
  adjustChecksum,
  ALL_NODES,
  decodePrefixInformation,
  decodeRdnss,
  ETHERNET_HEADER,
  ETHERTYPE_IPV6,
  IPV6_HEADER,
  isLinkLocal,
  multicastMac,
  NdOptionType,
  prefixInformation,
  RaFlag,
  rdnssOption,
  rewriteNd,
  withIcmp6Checksum,
  type NdOption,
  type NdRewrite,
} from '@pp/wire';
import type { GroupSettings } from './group-state';
import type { MemberLink } from './member';
import { DESTINATION_AT, ICMP_AT, isLinkOptionAt, optionBytes, SOURCE_MAC_AT, type NdPacket } from './packet';
import { mayBeProxied, type Policy } from './policy';

/** Gives that many bytes, with anything in them. */
export type Allocate = (length: number) => Uint8Array;
export const newBytes: Allocate = (length) => new Uint8Array(length);

/** Nothing is changed but for our own Ethernet address in place of the sender's: what most messages need. */
export const OUR_ADDRESS = 'our address';
export type Rewrite = NdRewrite | typeof OUR_ADDRESS;

/** The message as the segment of `exit` is to see it: from us, to `destinationMac`, which is null for the group that it goes to. */
export function translate(
  packet: NdPacket,
  exit: MemberLink,
  destinationMac: Uint8Array | null,
  rewrite: Rewrite,
  allocate: Allocate = newBytes,
): Uint8Array {
  if (rewrite === OUR_ADDRESS) return readdressed(packet, exit, destinationMac, allocate);
  const icmp = rewriteNd(packet.icmp, partsOf(packet), rewrite, packet);
  if (!packet.checksumReady) withIcmp6Checksum(icmp, packet.source, packet.destination);
  return frameOf(packet.header, icmp, exit, destinationMac ?? multicastMac(packet.destination), allocate);
}

const partsOf = ({ fixedBytes, message }: NdPacket) => ({ fixedBytes, options: message.options });

function readdressed(
  packet: NdPacket,
  { mac }: MemberLink,
  destinationMac: Uint8Array | null,
  allocate: Allocate,
): Uint8Array {
  const frame = allocate(packet.frame.length);
  frame.set(packet.frame);
  if (destinationMac === null) setGroupMac(frame);
  else frame.set(destinationMac);
  frame.set(mac, SOURCE_MAC_AT);
  for (let at = packet.optionsAt; at < frame.length; at += optionBytes(frame, at))
    if (isLinkOptionAt(frame, at)) replaceAddress(frame, at + 2, mac);
  if (!packet.checksumReady) withIcmp6Checksum(frame.subarray(ICMP_AT), packet.source, packet.destination);
  return frame;
}

/** 33:33 and the last four bytes of the group, RFC 2464 §7. */
function setGroupMac(frame: Uint8Array): void {
  frame[0] = frame[1] = 0x33;
  for (let i = 0; i < 4; i++) frame[2 + i] = frame[DESTINATION_AT + 12 + i] ?? 0;
}

const CHECKSUM_AT = ICMP_AT + 2;

/** In an option, and so at an even place. */
function replaceAddress(frame: Uint8Array, at: number, mac: Uint8Array): void {
  const before = ((frame[CHECKSUM_AT] ?? 0) << 8) | (frame[CHECKSUM_AT + 1] ?? 0);
  const checksum = adjustChecksum(before, frame, mac, at);
  frame[CHECKSUM_AT] = checksum >>> 8;
  frame[CHECKSUM_AT + 1] = checksum;
  frame.set(mac, at);
}

/** What decides how an advertisement is changed. */
type AdvertSettings = Pick<GroupSettings, 'mode' | 'policy'>;

/** RFC 4389 §4.1.3.3 for router advertisements; in route mode also what makes neighbours send to the router. */
export const advertRewrite = (
  { mode, policy }: AdvertSettings,
  entry: MemberLink,
  exit: MemberLink,
): NdRewrite => ({
  linkAddress: exit.mac,
  setProxyFlag: true,
  clearFlags: clearedFlags(policy),
  clearOnLink: mode === 'route',
  ...clampedMtu(Math.min(entry.mtu, exit.mtu)),
  option: (option) => {
    if (isLeftOut(policy, option)) return null;
    return mode === 'route' ? withoutLinkLocalResolvers(option) : option;
  },
});

const clearedFlags = ({ raWithout }: Policy): number =>
  (raWithout.has('managed') ? RaFlag.managed : 0) | (raWithout.has('other') ? RaFlag.other : 0);

function isLeftOut(policy: Policy, option: NdOption): boolean {
  switch (option.type) {
    case NdOptionType.rdnss:
      return policy.raWithout.has('rdnss');
    case NdOptionType.dnssl:
      return policy.raWithout.has('dnssl');
    case NdOptionType.prefixInformation: {
      const pio = decodePrefixInformation(option);
      return pio.ok && !mayBeProxied(policy, { ...pio.value, length: pio.value.prefixLength });
    }
    default:
      return false;
  }
}

/** For a segment that the router and its prefixes do not belong to any more (the idea of RFC 9096): hosts turn to others at once. */
export function retraction(settings: AdvertSettings, entry: MemberLink, exit: MemberLink): NdRewrite {
  const { option: change, ...rewrite } = advertRewrite(settings, entry, exit);
  return {
    ...rewrite,
    lifetimeSec: 0,
    option: (option) => {
      const kept = change === undefined ? option : change(option);
      return kept === null ? null : deprecated(kept);
    },
  };
}

/** RFC 4862 §5.5.3 (e): hosts do not believe less from others than us. */
const MIN_VALID_SEC = 7200;

function deprecated(option: NdOption): NdOption {
  const pio = option.type === NdOptionType.prefixInformation ? decodePrefixInformation(option) : null;
  if (pio?.ok !== true) return option;
  const validSec = Math.min(pio.value.validSec, MIN_VALID_SEC);
  return prefixInformation({ ...pio.value, preferredSec: 0, validSec });
}

/** RFC 8200 §5: no link of IPv6 has less than 1280. */
const MIN_MTU = 1280;
const clampedMtu = (mtu: number): Pick<NdRewrite, 'maxMtu'> => (mtu < MIN_MTU ? {} : { maxMtu: mtu });

/** A link-local resolver is out of reach behind a router. */
function withoutLinkLocalResolvers(option: NdOption): NdOption | null {
  if (option.type !== NdOptionType.rdnss) return option;
  const rdnss = decodeRdnss(option);
  if (!rdnss.ok) return option;
  const servers = rdnss.value.servers.filter((server) => !isLinkLocal(server));
  if (servers.length === rdnss.value.servers.length) return option;
  return servers.length === 0 ? null : rdnssOption({ ...rdnss.value, servers });
}

/** An advertisement once more, to all nodes of the segment. */
export function replayAdvert(packet: NdPacket, exit: MemberLink, rewrite: NdRewrite): Uint8Array {
  const route = { source: packet.source, destination: ALL_NODES };
  const icmp = withIcmp6Checksum(
    rewriteNd(packet.icmp, partsOf(packet), rewrite, route),
    route.source,
    route.destination,
  );
  const frame = frameOf(packet.header, icmp, exit, multicastMac(ALL_NODES), newBytes);
  frame.set(ALL_NODES, DESTINATION_AT);
  return frame;
}

// RFC 8200 §3
const LENGTH_AT = ETHERNET_HEADER + 4;

function frameOf(
  header: Uint8Array,
  icmp: Uint8Array,
  { mac }: MemberLink,
  destinationMac: Uint8Array,
  allocate: Allocate,
): Uint8Array {
  const frame = allocate(ETHERNET_HEADER + IPV6_HEADER + icmp.length);
  frame.set(destinationMac, 0);
  frame.set(mac, 6);
  frame[12] = ETHERTYPE_IPV6 >>> 8;
  frame[13] = ETHERTYPE_IPV6 & 0xff;
  frame.set(header, ETHERNET_HEADER);
  frame[LENGTH_AT] = icmp.length >>> 8;
  frame[LENGTH_AT + 1] = icmp.length;
  frame.set(icmp, ETHERNET_HEADER + IPV6_HEADER);
  return frame;
}
