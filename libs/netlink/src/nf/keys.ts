import { encode } from '../codec/parts';
import { encodeIp, encodeMac } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import { align4, decodeText, readU32host, readU8 } from '../codec/numbers';
import type { Writer } from '../codec/writer';

/** Types of set keys, by their names in nft(8). */
export type FieldType = keyof typeof FIELDS;

const IFNAMSIZ = 16;

type PutField = (out: Writer, text: string, order: 'host' | 'be') => void;

/** Numbers that the kernel holds in host order. nft turns them round for sets of intervals, whose keys are compared as big-endian. */
const hostNumber =
  (max: number): PutField =>
  (out, text, order) => {
    if (order === 'host') out.u32host(number(text, max));
    else out.u32be(number(text, max));
  };

const ipOfLength =
  (length: number): PutField =>
  (out, text) => {
    const bytes = encodeIp(text);
    if (bytes.length !== length) throw new RangeError(`${text} is of the other family`);
    out.bytes(bytes);
  };

const protocolOf =
  (names: Readonly<Record<string, number>>): PutField =>
  (out, text) => {
    out.u8(Object.hasOwn(names, text) ? (names[text] ?? 0) : number(text, 0xff));
  };

const putIfname: PutField = (out, text) => {
  const start = out.length;
  out.text(text);
  const length = out.length - start;
  if (length === 0 || length >= IFNAMSIZ)
    throw new RangeError(`not an interface name: ${JSON.stringify(text)}`);
  out.zeros(IFNAMSIZ - length);
};

const putMac: PutField = (out, text) => {
  out.bytes(encodeMac(text));
};

const putPort: PutField = (out, text) => {
  out.u16be(number(text, 0xffff));
};

const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, 'ipv6-icmp': 58, icmpv6: 58, sctp: 132 };
const NF_PROTOCOLS = { ipv4: 2, ipv6: 10 };

/** Text to bytes, exactly as the kernel compares them. Each throws RangeError for what does not fit. */
const FIELDS = {
  ifname: putIfname,
  ipv4_addr: ipOfLength(4),
  ipv6_addr: ipOfLength(16),
  ether_addr: putMac,
  mark: hostNumber(0xffffffff),
  iface_index: hostNumber(0x7fffffff),
  uid: hostNumber(0xffffffff),
  inet_proto: protocolOf(PROTOCOLS),
  nf_proto: protocolOf(NF_PROTOCOLS),
  inet_service: putPort,
} as const;

/** A key of one field; or of several, each padded to four bytes (nft calls it a concatenation). `intervals`: the set has that flag. */
export const encodeKey = (
  types: readonly FieldType[],
  fields: readonly string[],
  { intervals = false } = {},
): Uint8Array =>
  encode((out) => {
    putKey(out, types, fields, intervals ? 'be' : 'host');
  });

/** The same, as a part of what is being encoded. */
export function putKey(
  out: Writer,
  types: readonly FieldType[],
  fields: readonly string[],
  order: 'host' | 'be' = 'host',
): void {
  if (types.length !== fields.length)
    throw new RangeError(`${fields.length} fields for a key of ${types.length}`);
  const start = out.length;
  let index = 0;
  for (const type of types) {
    FIELDS[type](out, fields[index] ?? '', order);
    if (types.length > 1) out.align4(start);
    index += 1;
  }
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

function number(text: string, max: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  if (!(value <= max)) throw new RangeError(`not a number up to ${max}: ${JSON.stringify(text)}`);
  return value;
}
