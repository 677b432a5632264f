import { encode } from '../codec/parts';
import { Attributes } from '../codec/attributes';
import type { PrefixBytes } from '../codec/ip';
import { broadcastOf, decodeIp, decodePrefix, encodePrefix, familyName, familyNumber } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { NLM_F_CREATE, NLM_F_EXCL } from '../codec/message';
import { readU32host, readU8 } from '../codec/numbers';
import type { Writer } from '../codec/writer';
import type { NetlinkRequest, Query } from '../request';
import { RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from './types';

/** An address of an interface. */
export interface Address {
  readonly ifindex: number;
  /** The interface's own address with its prefix length. */
  readonly cidr: string;
  /** Point to point: the other end's address with its prefix length, which is what is on the link. */
  readonly peer?: string;
  /** IPv4: what it broadcasts to on the link, where that is set. */
  readonly broadcast?: string;
  /** RT_SCOPE_*: 0 universe, 253 link, 254 host. */
  readonly scope: number;
  /** IFA_F_*; see `isPermanent`. */
  readonly flags: number;
}

// linux/if_addr.h
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
export const IFA_PROTO = 11;
const IFA_F_NODAD = 0x02;
const IFA_F_PERMANENT = 0x80;
export const IFADDRMSG = 8;

/** It has no lifetime: somebody set it, or the kernel made it from the link's own. */
export const isPermanent = ({ flags }: Address): boolean => (flags & IFA_F_PERMANENT) !== 0;

/** EEXIST when the interface has it. IPv4 gets its broadcast address. `dad` false: usable at once (IPv6). `protocol`: who adds it; 0: untold. */
export function addAddress(ifindex: number, cidr: string, { dad = true, protocol = 0 } = {}): NetlinkRequest {
  const prefix = encodePrefix(cidr);
  return {
    label: () => `address.add ${cidr} dev #${ifindex}`,
    type: RTM_NEWADDR,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: encode((out) => {
      putHeader(out, ifindex, prefix);
      out.bytesAttribute(IFA_LOCAL, prefix.address);
      out.bytesAttribute(IFA_ADDRESS, prefix.address);
      const broadcast = broadcastOf(prefix);
      if (broadcast !== null) out.bytesAttribute(IFA_BROADCAST, broadcast);
      if (!dad) out.u32hostAttribute(IFA_FLAGS, IFA_F_NODAD);
      if (protocol !== 0) out.bytesAttribute(IFA_PROTO, Uint8Array.of(protocol));
    }),
  };
}

/** EADDRNOTAVAIL when the interface has it not. */
export function delAddress(ifindex: number, cidr: string): NetlinkRequest {
  const prefix = encodePrefix(cidr);
  return {
    label: () => `address.del ${cidr} dev #${ifindex}`,
    type: RTM_DELADDR,
    flags: 0,
    body: encode((out) => {
      putHeader(out, ifindex, prefix);
      out.bytesAttribute(IFA_LOCAL, prefix.address);
    }),
  };
}

/** Of both families. */
export const dumpAddresses = (): Query<Address> => ({
  label: () => 'address.dump',
  type: RTM_GETADDR,
  flags: 0,
  body: new Uint8Array(IFADDRMSG),
  decode: decodeAddress,
});

/** struct ifaddrmsg: u8 family, u8 prefixlen, u8 flags, u8 scope, u32 index. */
function putHeader(out: Writer, ifindex: number, { family, length }: PrefixBytes): void {
  out.u8(familyNumber(family));
  out.u8(length);
  out.u8(0);
  out.u8(0);
  out.u32host(ifindex);
}

/** null: not an Internet address. Throws MalformedError. */
export function decodeAddress({ type, body }: NetlinkMessage): Address | null {
  if (type !== RTM_NEWADDR && type !== RTM_DELADDR) return null;
  if (body.length < IFADDRMSG) throw new MalformedError(`address message of ${body.length} bytes`);
  const family = familyName(readU8(body, 0));
  if (family === null) return null;
  const attributes = new Attributes(body, IFADDRMSG);
  // IFA_ADDRESS is the peer's address on a point-to-point link; IPv6 has no IFA_LOCAL but there.
  const other = attributes.bytes(IFA_ADDRESS);
  const address = attributes.bytes(IFA_LOCAL) ?? other;
  if (address === null) throw new MalformedError('address message without an address');
  const broadcast = attributes.bytes(IFA_BROADCAST);
  const cidr = decodePrefix(family, address, readU8(body, 1));
  const peer = other === null ? cidr : decodePrefix(family, other, readU8(body, 1));
  return {
    ifindex: readU32host(body, 4),
    cidr,
    ...(peer === cidr ? {} : { peer }),
    ...(broadcast === null ? {} : { broadcast: decodeIp(broadcast) }),
    scope: readU8(body, 3),
    flags: attributes.u32host(IFA_FLAGS) ?? readU8(body, 2),
  };
}
