import { Attributes } from '../codec/attributes';
import { decodeMac } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { readS32host, readU16host, readU32host, readU8 } from '../codec/numbers';
import * as IFLA from './ifla';
import { RTM_DELLINK, RTM_NEWLINK } from './types';

/** A network interface as the kernel shows it. */
export interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  /** IFLA_INFO_KIND, e.g. "veth", "bridge", "tun"; null for a device of a driver, and for lo. */
  readonly kind: string | null;
  /** Of kind "tun": which of the two; null where unknown (kernels before 4.20 do not say). */
  readonly tunMode: 'tun' | 'tap' | null;
  /** ARPHRD_* (linux/if_arp.h). */
  readonly type: number;
  /** IFF_* (linux/if.h), see the claims below. */
  readonly flags: number;
  readonly mtu: number;
  /** Link-layer address as text; '' for none. */
  readonly mac: string;
  readonly group: number;
  readonly alias: string;
  /** ifindex of the bridge or bond that holds it. */
  readonly master: number | null;
  /** ifindex of what it is stacked on; of a veth its peer, counted in the namespace `peerNetnsId` if that is not null. */
  readonly link: number | null;
  readonly peerNetnsId: number | null;
  /** The device behind it ("virtio0", "0000:00:1f.6"), by which a physical interface is told from a virtual one; Linux 5.14. */
  readonly parentDevice: string | null;
}

// linux/if.h
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;
const IFF_MULTICAST = 0x1000;
const IFF_LOWER_UP = 0x10000;

/** Administratively up. */
export const isUp = ({ flags }: Link): boolean => (flags & IFF_UP) !== 0;
/** Frames pass: operational, with a carrier. */
export const isRunning = ({ flags }: Link): boolean =>
  (flags & (IFF_RUNNING | IFF_LOWER_UP)) === (IFF_RUNNING | IFF_LOWER_UP);
export const isLoopback = ({ flags }: Link): boolean => (flags & IFF_LOOPBACK) !== 0;
export const isMulticast = ({ flags }: Link): boolean => (flags & IFF_MULTICAST) !== 0;

// struct ifinfomsg: u8 family, u8 pad, u16 type, s32 index, u32 flags, u32 change.
const IFINFOMSG = 16;
const AF_UNSPEC = 0;

// linux/if_tun.h: IFLA_TUN_TYPE is IFF_TUN or IFF_TAP.
const IFF_TUN = 1;
const IFF_TAP = 2;

/** null: not about a link itself. Bridge ports have RTM_NEWLINK and RTM_DELLINK of their own (AF_BRIDGE). Throws MalformedError. */
export function decodeLink({ type, body }: NetlinkMessage): Link | null {
  if (type !== RTM_NEWLINK && type !== RTM_DELLINK) return null;
  if (body.length < IFINFOMSG) throw new MalformedError(`link message of ${body.length} bytes`);
  if (readU8(body, 0) !== AF_UNSPEC) return null;
  const attributes = new Attributes(body, IFINFOMSG);
  const ifname = attributes.string(IFLA.IFNAME);
  if (ifname === null) throw new MalformedError('link message without a name');
  const info = attributes.nested(IFLA.LINKINFO);
  const kind = info?.string(IFLA.INFO_KIND) ?? null;
  return {
    ifindex: readS32host(body, 4),
    ifname,
    kind,
    tunMode: kind === 'tun' ? tunMode(info?.nested(IFLA.INFO_DATA)?.u8(IFLA.TUN_TYPE) ?? null) : null,
    type: readU16host(body, 2),
    flags: readU32host(body, 8),
    mtu: attributes.u32host(IFLA.MTU) ?? 0,
    mac: decodeMac(attributes.bytes(IFLA.ADDRESS) ?? new Uint8Array(0)),
    group: attributes.u32host(IFLA.GROUP) ?? 0,
    alias: attributes.string(IFLA.IFALIAS) ?? '',
    master: attributes.u32host(IFLA.MASTER),
    link: attributes.u32host(IFLA.LINK),
    peerNetnsId: attributes.s32host(IFLA.LINK_NETNSID),
    parentDevice: attributes.string(IFLA.PARENT_DEV_NAME),
  };
}

const tunMode = (type: number | null): 'tun' | 'tap' | null =>
  type === IFF_TUN ? 'tun' : type === IFF_TAP ? 'tap' : null;
