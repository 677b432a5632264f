import { encode } from '../codec/parts';
import { encodeMac } from '../codec/ip';
import { NLM_F_CREATE, NLM_F_EXCL } from '../codec/message';
import type { Writer } from '../codec/writer';
import type { NetlinkRequest, Query } from '../request';
import * as IFLA from './ifla';
import { decodeLink } from './link';
import type { Link } from './link';
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK } from './types';

/** What can be said of a link, at its creation or later. An alias is ignored at creation: set it next. */
export interface LinkSettings {
  readonly up?: boolean;
  /** IFF_MULTICAST. */
  readonly multicast?: boolean;
  readonly mtu?: number | null;
  readonly mac?: string | null;
  readonly group?: number;
  /** ifindex of a bridge; 0: none. */
  readonly master?: number | null;
  /** An fd of the network namespace to put it in. */
  readonly netnsFd?: number | null;
}

interface Queues {
  /** Each way, for ever. Default: of a veth the kernel makes one for each CPU, takes away all but one, and waits for its readers. */
  readonly queues?: number;
}

/** The far end of a veth: made in its own namespace, under its own name, and down (up is ENOTCONN before the two ends are joined). */
export interface NewPeer extends Omit<LinkSettings, 'up'>, Queues {
  readonly ifname: string;
  /** As that of the link: both or none. */
  readonly ifindex?: number;
}

export interface NewLink extends LinkSettings, Queues {
  readonly ifname: string;
  /** That it is to have; default: the kernel's next. */
  readonly ifindex?: number;
  readonly kind:
    /** `learns` false: it remembers no address, and sends all that is not its own to every port. */
    | { readonly name: 'bridge'; readonly learns?: boolean }
    | { readonly name: 'veth'; readonly peer: NewPeer }
    /** A macvlan on `link` (an ifindex), in bridge mode. */
    | { readonly name: 'macvlan'; readonly link: number };
}

export interface LinkChange extends LinkSettings {
  readonly ifname?: string;
  readonly alias?: string;
  /** Settings for IPv4 by IPV4_DEVCONF_* (linux/ip.h), as net.ipv4.conf.IFNAME has them by name. */
  readonly inetConf?: ReadonlyMap<number, number> | undefined;
}

/** EEXIST when the name is taken, here or in the peer's namespace, or the ifindex; EBUSY when the peer's ifindex is. */
export const addLink = (link: NewLink): NetlinkRequest => ({
  label: () => `link.add ${link.ifname} type ${link.kind.name}`,
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: encode((out) => {
    putHeader(out, link.ifindex ?? 0, link);
    out.stringAttribute(IFLA.IFNAME, link.ifname);
    putSettings(out, link);
    putQueues(out, link);
    if (link.kind.name === 'macvlan') out.u32hostAttribute(IFLA.LINK, link.kind.link);
    putKind(out, link.kind);
  }),
});

/** ENODEV when there is no such ifindex. */
export const setLink = (ifindex: number, change: LinkChange): NetlinkRequest => ({
  label: () => `link.set #${ifindex} ${words(change)}`,
  type: RTM_SETLINK,
  flags: 0,
  body: encode((out) => {
    putHeader(out, ifindex, change);
    if (change.ifname !== undefined) out.stringAttribute(IFLA.IFNAME, change.ifname);
    if (change.alias !== undefined) out.textAttribute(IFLA.IFALIAS, change.alias);
    putSettings(out, change);
    if (change.inetConf !== undefined) putInetConf(out, change.inetConf);
  }),
});

function putInetConf(out: Writer, conf: ReadonlyMap<number, number>): void {
  const families = out.openNested(IFLA.AF_SPEC);
  const inet = out.openNested(AF_INET);
  const settings = out.openNested(IFLA.INET_CONF);
  conf.forEach((value, number) => {
    out.u32hostAttribute(number, value);
  });
  out.close(settings);
  out.close(inet);
  out.close(families);
}

/** Takes about 20 ms of the kernel's time; see `delLinkGroup`. */
export const delLink = (ifindex: number): NetlinkRequest => ({
  label: () => `link.del #${ifindex}`,
  type: RTM_DELLINK,
  flags: 0,
  body: encode((out) => {
    putHeader(out, ifindex, UNCHANGED);
  }),
});

/** Deletes every link of the group in one go, in hardly more time than one. ENODEV when it has none. */
export const delLinkGroup = (group: number): NetlinkRequest => ({
  label: () => `link.del group ${group}`,
  type: RTM_DELLINK,
  flags: 0,
  body: encode((out) => {
    putHeader(out, 0, UNCHANGED);
    out.u32hostAttribute(IFLA.GROUP, group);
  }),
});

/** One link by name or by ifindex; ENODEV. */
export const getLink = (which: string | number): Query<Link> => ({
  label: () => (typeof which === 'string' ? `link.get ${which}` : `link.get #${which}`),
  type: RTM_GETLINK,
  flags: 0,
  body: encode((out) => {
    putHeader(out, typeof which === 'string' ? 0 : which, UNCHANGED);
    if (typeof which === 'string') out.stringAttribute(IFLA.IFNAME, which);
    out.u32hostAttribute(IFLA.EXT_MASK, WITHOUT_STATISTICS);
  }),
  decode: decodeLink,
});

export const dumpLinks = (): Query<Link> => ({
  label: () => 'link.dump',
  type: RTM_GETLINK,
  flags: 0,
  body: encode((out) => {
    putHeader(out, 0, UNCHANGED);
    out.u32hostAttribute(IFLA.EXT_MASK, WITHOUT_STATISTICS);
  }),
  decode: decodeLink,
});

// RTEXT_FILTER_SKIP_STATS: half of a link's bytes.
const WITHOUT_STATISTICS = 1 << 3;

// linux/socket.h
const AF_INET = 2;
// linux/if.h
const IFF_UP = 0x1;
const IFF_MULTICAST = 0x1000;

const UNCHANGED: LinkSettings = {};

/** struct ifinfomsg: u8 family, u8 pad, u16 type, s32 index, u32 flags, u32 change (the mask of `flags`). */
function putHeader(out: Writer, ifindex: number, { up, multicast }: LinkSettings): void {
  out.u32host(0);
  out.u32host(ifindex);
  out.u32host((up ? IFF_UP : 0) | (multicast ? IFF_MULTICAST : 0));
  out.u32host((up === undefined ? 0 : IFF_UP) | (multicast === undefined ? 0 : IFF_MULTICAST));
}

function putSettings(out: Writer, { mtu, mac, group, master, netnsFd }: LinkSettings): void {
  if (typeof mtu === 'number') out.u32hostAttribute(IFLA.MTU, mtu);
  if (typeof mac === 'string') out.bytesAttribute(IFLA.ADDRESS, encodeMac(mac));
  if (group !== undefined) out.u32hostAttribute(IFLA.GROUP, group);
  if (typeof master === 'number') out.u32hostAttribute(IFLA.MASTER, master);
  if (typeof netnsFd === 'number') out.u32hostAttribute(IFLA.NET_NS_FD, netnsFd);
}

function putQueues(out: Writer, { queues }: Queues): void {
  if (queues === undefined) return;
  out.u32hostAttribute(IFLA.NUM_TX_QUEUES, queues);
  out.u32hostAttribute(IFLA.NUM_RX_QUEUES, queues);
}

function putKind(out: Writer, kind: NewLink['kind']): void {
  const info = out.openNested(IFLA.LINKINFO);
  out.stringAttribute(IFLA.INFO_KIND, kind.name);
  const data = out.openNested(IFLA.INFO_DATA);
  if (kind.name === 'veth') putPeer(out, kind.peer);
  else if (kind.name === 'macvlan') out.u32hostAttribute(IFLA.MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
  else if (kind.learns === false) out.u32hostAttribute(IFLA.BR_AGEING_TIME, 0);
  out.close(data);
  out.close(info);
}

const MACVLAN_MODE_BRIDGE = 4;

/** The payload is a link message of its own, header and all. */
function putPeer(out: Writer, peer: NewPeer): void {
  const message = out.openNested(IFLA.VETH_INFO_PEER);
  putHeader(out, peer.ifindex ?? 0, peer);
  out.stringAttribute(IFLA.IFNAME, peer.ifname);
  putSettings(out, peer);
  putQueues(out, peer);
  out.close(message);
}

const words = (change: LinkChange): string =>
  Object.entries(change)
    .filter(([key, value]) => key !== 'netnsFd' && value !== undefined && value !== null)
    .map(([key, value]) => `${key} ${value instanceof Map ? [...value].join(' ') : value}`)
    .join(' ');
