import { aligned, all, u16be, u32be, u32host, u8, utf8, zeros } from '../codec/parts';
import type { Part } from '../codec/parts';
import { encodeIp, encodeMac } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import { align4, decodeText, readU32host, readU8 } from '../codec/numbers';

/** Types of set keys, by their names in nft(8). */
export type FieldType = keyof typeof ENCODERS;

const IFNAMSIZ = 16;

/** Numbers that the kernel holds in host order. nft turns them round for sets of intervals, whose keys are compared as big-endian. */
const hostNumber = (max: number) => (text: string, order: Order) => ORDERS[order](number(text, max));
const ORDERS = { host: u32host, be: u32be } as const;
type Order = keyof typeof ORDERS;

/** Text to bytes, exactly as the kernel compares them. Each throws RangeError for what does not fit. */
const ENCODERS = {
  ifname: encodeIfname,
  ipv4_addr: (text: string) => ofLength(encodeIp(text), 4, text),
  ipv6_addr: (text: string) => ofLength(encodeIp(text), 16, text),
  ether_addr: encodeMac,
  mark: hostNumber(0xffffffff),
  iface_index: hostNumber(0x7fffffff),
  uid: hostNumber(0xffffffff),
  inet_proto: (text: string) => u8(named(text, PROTOCOLS, 0xff)),
  nf_proto: (text: string) => u8(named(text, NF_PROTOCOLS, 0xff)),
  inet_service: (text: string) => u16be(number(text, 0xffff)),
} as const;

const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, icmpv6: 58, sctp: 132 };
const NF_PROTOCOLS = { ipv4: 2, ipv6: 10 };

/** A key of one field; or of several, each padded to four bytes (nft calls it a concatenation). `intervals`: the set has that flag. */
export function encodeKey(
  types: readonly FieldType[],
  fields: readonly string[],
  { intervals = false } = {},
): Part {
  if (types.length !== fields.length)
    throw new RangeError(`${fields.length} fields for a key of ${types.length}`);
  const order = intervals ? 'be' : 'host';
  const parts = types.map((type, index) => ENCODERS[type](fields[index] ?? '', order));
  return all(...(parts.length === 1 ? parts : parts.map(aligned)));
}

/** Bytes to what they mean: a name, or a number. */
const DECODERS = {
  ifname: { length: IFNAMSIZ, decode: decodeName },
  mark: { length: 4, decode: readU32host },
  nf_proto: { length: 1, decode: readU8 },
} as const;

/** Types of key that can be read. */
export type ReadableFieldType = keyof typeof DECODERS;

/** The fields of a concatenated key as the kernel shows it. Throws MalformedError for one of another length. */
export function decodeKey(
  types: readonly ReadableFieldType[],
  bytes: Uint8Array,
): readonly (string | number)[] {
  let at = 0;
  const fields = types.map((type) => {
    const { length, decode } = DECODERS[type];
    if (at + length > bytes.length) throw new MalformedError(`key of ${bytes.length} bytes`);
    const field = decode(bytes, at);
    at = align4(at + length);
    return field;
  });
  if (at !== align4(bytes.length)) throw new MalformedError(`key of ${bytes.length} bytes`);
  return fields;
}

function decodeName(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return decodeText(bytes.subarray(at, end < 0 || end > at + IFNAMSIZ ? at + IFNAMSIZ : end));
}

function encodeIfname(text: string): Part {
  const length = Buffer.byteLength(text);
  if (length === 0 || length >= IFNAMSIZ)
    throw new RangeError(`not an interface name: ${JSON.stringify(text)}`);
  return all(utf8(text), zeros(IFNAMSIZ - length));
}

function ofLength(bytes: Uint8Array, length: number, text: string): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`${text} is of the other family`);
  return bytes;
}

function number(text: string, max: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw new RangeError(`not a number up to ${max}: ${JSON.stringify(text)}`);
  return value;
}

const named = (text: string, names: Readonly<Record<string, number>>, max: number): number =>
  Object.hasOwn(names, text) ? (names[text] ?? 0) : number(text, max);
