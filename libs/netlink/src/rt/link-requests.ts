import type { Part } from '../codec/parts';

import {
  all,
  attribute,
  encode,
  nested,
  optional,
  stringAttribute,
  textAttribute,
  u16host,
  u32host,
  u8,
} from '../codec/parts';
import { encodeMac } from '../codec/ip';
import { NLM_F_CREATE, NLM_F_EXCL } from '../codec/message';

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
  readonly netnsFd?: number;
}

/** The far end of a veth: made in its own namespace, under its own name, and down (up is ENOTCONN before the two ends are joined). */
export interface NewPeer extends Omit<LinkSettings, 'up'> {
  readonly ifname: string;
}

export interface NewLink extends LinkSettings {
  readonly ifname: string;
  readonly kind:
    | { readonly name: 'bridge' }
    | { readonly name: 'veth'; readonly peer: NewPeer }
    /** A macvlan on `link` (an ifindex), in bridge mode. */
    | { readonly name: 'macvlan'; readonly link: number };
}

export interface LinkChange extends LinkSettings {
  readonly ifname?: string;
  readonly alias?: string;
  /** Settings for IPv4 by IPV4_DEVCONF_* (linux/ip.h), as net.ipv4.conf.IFNAME has them by name. */
  readonly inetConf?: ReadonlyMap<number, number>;
}

/** EEXIST when the name is taken, here or in the peer's namespace. */
export const addLink = (link: NewLink): NetlinkRequest => ({
  label: () => `link.add ${link.ifname} type ${link.kind.name}`,
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: encode(
    ifinfomsg(0, link),
    stringAttribute(IFLA.IFNAME, link.ifname),
    settings(link),
    ...(link.kind.name === 'macvlan' ? [attribute(IFLA.LINK, u32host(link.kind.link))] : []),
    nested(IFLA.LINKINFO, stringAttribute(IFLA.INFO_KIND, link.kind.name), ...kindData(link.kind)),
  ),
});

/** ENODEV when there is no such ifindex. */
export const setLink = (ifindex: number, change: LinkChange): NetlinkRequest => ({
  label: () => `link.set #${ifindex} ${words(change)}`,
  type: RTM_SETLINK,
  flags: 0,
  body: encode(
    ifinfomsg(ifindex, change),
    optional(change.ifname, (name) => stringAttribute(IFLA.IFNAME, name)),
    optional(change.alias, (alias) => textAttribute(IFLA.IFALIAS, alias)),
    settings(change),
    optional(change.inetConf, (conf) => nested(IFLA.AF_SPEC, nested(AF_INET, inetConf(conf)))),
  ),
});

const inetConf = (conf: ReadonlyMap<number, number>): Part =>
  nested(IFLA.INET_CONF, ...[...conf].map(([number, value]) => attribute(number, u32host(value))));

/** Takes about 20 ms of the kernel's time; see `delLinkGroup`. */
export const delLink = (ifindex: number): NetlinkRequest => ({
  label: () => `link.del #${ifindex}`,
  type: RTM_DELLINK,
  flags: 0,
  body: encode(ifinfomsg(ifindex, {})),
});

/** Deletes every link of the group in one go, in hardly more time than one. ENODEV when it has none. */
export const delLinkGroup = (group: number): NetlinkRequest => ({
  label: () => `link.del group ${group}`,
  type: RTM_DELLINK,
  flags: 0,
  body: encode(ifinfomsg(0, {}), attribute(IFLA.GROUP, u32host(group))),
});

/** One link by name or by ifindex; ENODEV. */
export const getLink = (which: string | number): Query<Link> => ({
  label: () => (typeof which === 'string' ? `link.get ${which}` : `link.get #${which}`),
  type: RTM_GETLINK,
  flags: 0,
  body: encode(
    ifinfomsg(typeof which === 'string' ? 0 : which, {}),
    typeof which === 'string' ? stringAttribute(IFLA.IFNAME, which) : optional(null, u32host),
    WITHOUT_STATISTICS,
  ),
  decode: decodeLink,
});

export const dumpLinks = (): Query<Link> => ({
  label: () => 'link.dump',
  type: RTM_GETLINK,
  flags: 0,
  body: encode(ifinfomsg(0, {}), WITHOUT_STATISTICS),
  decode: decodeLink,
});

// RTEXT_FILTER_SKIP_STATS: half of a link's bytes.
const WITHOUT_STATISTICS = attribute(IFLA.EXT_MASK, u32host(1 << 3));

// linux/socket.h
const AF_INET = 2;
// linux/if.h
const IFF_UP = 0x1;
const IFF_MULTICAST = 0x1000;

/** u8 family, u8 pad, u16 type, s32 index, u32 flags, u32 change (the mask of `flags`). */
function ifinfomsg(ifindex: number, { up, multicast }: LinkSettings): Part {
  const flags = (up ? IFF_UP : 0) | (multicast ? IFF_MULTICAST : 0);
  const change = (up === undefined ? 0 : IFF_UP) | (multicast === undefined ? 0 : IFF_MULTICAST);
  return all(u8(0, 0), u16host(0), u32host(ifindex), u32host(flags), u32host(change));
}

const settings = ({ mtu, mac, group, master, netnsFd }: LinkSettings): Part =>
  all(
    optional(mtu, (value) => attribute(IFLA.MTU, u32host(value))),
    optional(mac, (value) => attribute(IFLA.ADDRESS, encodeMac(value))),
    optional(group, (value) => attribute(IFLA.GROUP, u32host(value))),
    optional(master, (value) => attribute(IFLA.MASTER, u32host(value))),
    optional(netnsFd, (value) => attribute(IFLA.NET_NS_FD, u32host(value))),
  );

function kindData(kind: NewLink['kind']): readonly Part[] {
  switch (kind.name) {
    case 'bridge':
      return [];
    case 'macvlan':
      return [nested(IFLA.INFO_DATA, attribute(IFLA.MACVLAN_MODE, u32host(MACVLAN_MODE_BRIDGE)))];
    case 'veth':
      return [nested(IFLA.INFO_DATA, vethPeer(kind.peer))];
  }
}

const MACVLAN_MODE_BRIDGE = 4;

/** The payload is a link message of its own, header and all. */
const vethPeer = (peer: NewPeer): Part =>
  nested(IFLA.VETH_INFO_PEER, ifinfomsg(0, peer), stringAttribute(IFLA.IFNAME, peer.ifname), settings(peer));

const words = (change: LinkChange): string =>
  Object.entries(change)
    .filter(([key, value]) => key !== 'netnsFd' && value !== undefined && value !== null)
    .map(([key, value]) => `${key} ${value instanceof Map ? [...value].join(' ') : value}`)
    .join(' ');
