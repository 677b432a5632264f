import { IPV6_LENGTH } from '../addr/ipv6';
import { MAC_LENGTH } from '../addr/mac';
import { decoded, undecoded, type Decoded } from '../decoded';
import { Reader } from '../reader';
import { Writer } from '../writer';

/** Option types: RFC 4861 §4.6, and the IANA registry for the rest. */
export const NdOptionType = {
  sourceLinkAddress: 1,
  targetLinkAddress: 2,
  prefixInformation: 3,
  redirectedHeader: 4,
  mtu: 5,
  /** RFC 3971 */
  cga: 11,
  rsaSignature: 12,
  timestamp: 13,
  nonce: 14,
  /** RFC 4191 */
  routeInformation: 24,
  /** RFC 8106 */
  rdnss: 25,
  dnssl: 31,
} as const;

/** Option lengths count words of eight bytes, header included. */
export const OPTION_UNIT = 8;
/** A link-layer address option of Ethernet is one unit, RFC 2464 §6. */
export const LINK_OPTION_BYTES = 8;

/** One option, whole: type, length and value. A view. */
export interface NdOption {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Splits options; what is unknown is kept. Refused: a zero length, an option past the end, a rest shorter than a header. */
export function decodeNdOptions(bytes: Uint8Array): Decoded<readonly NdOption[]> {
  const options: NdOption[] = []; // BOUNDED: by the packet
  for (let at = 0; at < bytes.length;) {
    const type = bytes[at] ?? 0;
    const length = bytes[at + 1];
    if (length === undefined) return undecoded('option-overrun');
    if (length === 0) return undecoded('option-zero');
    const end = at + length * OPTION_UNIT;
    if (end > bytes.length) return undecoded('option-overrun');
    options.push({ type, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return decoded(options);
}

export function encodeNdOptions(options: readonly NdOption[]): Uint8Array {
  const w = new Writer();
  for (const { bytes } of options) w.bytes(bytes);
  return w.finish();
}

export const isLinkAddressOption = ({ type }: NdOption): boolean =>
  type === NdOptionType.sourceLinkAddress || type === NdOptionType.targetLinkAddress;

/** The Ethernet address of a link-layer address option, a view; null where the option has another length. */
export const linkAddressOf = ({ bytes }: NdOption): Uint8Array | null =>
  bytes.length === LINK_OPTION_BYTES ? bytes.subarray(2, 2 + MAC_LENGTH) : null;

/** Source or target link-layer address, RFC 4861 §4.6.1. */
export const linkAddressOption = (which: 'source' | 'target', mac: Uint8Array): NdOption =>
  option(
    which === 'source' ? NdOptionType.sourceLinkAddress : NdOptionType.targetLinkAddress,
    mac.subarray(0, MAC_LENGTH),
  );

/** RFC 4861 §4.6.2, first flag byte; P is RFC 9762's "DHCPv6-PD preferred". */
export const PioFlag = { onLink: 0x80, autonomous: 0x40, routerAddress: 0x20, pdPreferred: 0x10 } as const;

/** RFC 4861 §4.6.2. The prefix is as sent: its host bits may be anything. */
export interface PrefixInformation {
  readonly prefixLength: number;
  /** See PioFlag. */
  readonly flags: number;
  /** 0xffffffff: for ever. */
  readonly validSec: number;
  readonly preferredSec: number;
  readonly prefix: Uint8Array;
}

export function decodePrefixInformation({ bytes }: NdOption): Decoded<PrefixInformation> {
  const r = new Reader(bytes);
  r.skip(2); // type, length
  const prefixLength = r.u8();
  const flags = r.u8();
  const validSec = r.u32be();
  const preferredSec = r.u32be();
  r.skip(4); // reserved
  const prefix = r.bytes(IPV6_LENGTH);
  if (prefixLength > 128) r.fail('length');
  return r.finish(() => ({ prefixLength, flags, validSec, preferredSec, prefix }));
}

export const prefixInformation = (pio: PrefixInformation): NdOption =>
  option(
    NdOptionType.prefixInformation,
    new Writer(30)
      .u8(pio.prefixLength)
      .u8(pio.flags)
      .u32be(pio.validSec)
      .u32be(pio.preferredSec)
      .zeros(4)
      .bytes(pio.prefix)
      .finish(),
  );

/** RFC 4861 §4.6.4. */
export const mtuOption = (mtu: number): NdOption =>
  option(NdOptionType.mtu, new Writer(6).zeros(2).u32be(mtu).finish());

/** RFC 8106 §5.1: lifetime and resolvers. */
export interface RecursiveDns {
  readonly lifetimeSec: number;
  readonly servers: readonly Uint8Array[];
}

export function decodeRdnss({ bytes }: NdOption): Decoded<RecursiveDns> {
  const r = new Reader(bytes);
  r.skip(4); // type, length, reserved
  const lifetimeSec = r.u32be();
  const servers: Uint8Array[] = []; // BOUNDED: by the option
  while (r.left > 0) servers.push(r.bytes(IPV6_LENGTH));
  if (servers.length === 0) r.fail('length');
  return r.finish(() => ({ lifetimeSec, servers }));
}

export function rdnssOption({ lifetimeSec, servers }: RecursiveDns): NdOption {
  const w = new Writer().zeros(2).u32be(lifetimeSec);
  for (const server of servers) w.bytes(server);
  return option(NdOptionType.rdnss, w.finish());
}

/** An option from its value: what follows type and length. Padded with zeros to a multiple of eight bytes. */
export function option(type: number, value: Uint8Array): NdOption {
  const units = Math.ceil((2 + value.length) / OPTION_UNIT);
  const w = new Writer(units * OPTION_UNIT).u8(type).u8(units).bytes(value);
  return { type, bytes: w.zeros(units * OPTION_UNIT - w.length).finish() };
}
