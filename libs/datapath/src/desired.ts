import { SharedMap } from '@pp/base';
import type { TrafficSource } from './marks';

/** Values that say what the kernel should look like. Addresses and prefixes are canonical text ("100.115.92.129/30", "fd00::/64"). */

/** A name under /run/netns. `pid` null: the namespace itself is ours; else it is the client's, and `inode` (of /proc/PID/ns/net) must match. */
export interface Netns {
  readonly name: string;
  readonly from: { readonly pid: number; readonly inode: number } | null;
}

/** The far end of a veth, configured once, inside its namespace. The client may change it afterwards. */
export interface VethPeer {
  /** Name under /run/netns. */
  readonly netns: string;
  readonly ifname: string;
  readonly mac: string;
  /** Address with prefix length. */
  readonly address: string;
  /** Next hop of the default route; null: none is set. */
  readonly gateway: string | null;
  readonly multicast: boolean;
}

interface LinkCommon {
  readonly ifname: string;
  /** ifalias: `patchpanel:<what>`, the tag by which a restarted manager knows the link. */
  readonly alias: string;
  /** null: as the kernel made it; a change to null leaves what is there. The MTU likewise. */
  readonly mac: string | null;
  readonly mtu: number | null;
  readonly multicast: boolean;
  /** Bridge that holds this link. */
  readonly master: string | null;
}

export interface Veth extends LinkCommon {
  readonly kind: 'veth';
  readonly peer: VethPeer;
}

export interface Bridge extends LinkCommon {
  readonly kind: 'bridge';
}

/** A persistent TAP. `owner` is the uid that may open it. */
export interface Tap extends LinkCommon {
  readonly kind: 'tap';
  readonly owner: number;
}

/** Every link of ours is up and in group LINK_GROUP. */
export type Link = Veth | Bridge | Tap;

export interface Address {
  readonly ifname: string;
  /** Host address with prefix length; IPv4 gets its broadcast address. */
  readonly cidr: string;
}

/** `kind` throw: the lookup goes on with the next rule. Every route of ours has protocol ROUTE_PROTOCOL. */
export interface Route {
  readonly kind: 'unicast' | 'blackhole' | 'throw';
  /** "0.0.0.0/0" and "::/0" are the default routes; the text decides the family. */
  readonly dst: string;
  readonly via: string | null;
  readonly dev: string | null;
  /** Preferred source address. */
  readonly src: string | null;
  readonly table: number;
  readonly metric: number;
  /** The next hop is reachable on `dev` although no prefix covers it. */
  readonly onlink: boolean;
}

/** One `ip rule` of one family. Every rule of ours has protocol ROUTE_PROTOCOL. */
export interface Rule {
  readonly family: 'ipv4' | 'ipv6';
  readonly priority: number;
  readonly fwmark: { readonly value: number; readonly mask: number } | null;
  readonly iif: string | null;
  readonly oif: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly table: number;
  /** Routes with a prefix no longer than this are ignored in `table`. */
  readonly suppressPrefixLength: number | null;
}

/** One key of a set, or key and verdict of a verdict map, or key and value of a map; fields are text, one per field of the set's type (see nft/sets). */
export interface Element {
  readonly set: string;
  readonly key: readonly string[];
  /** Chain to jump to; only in verdict maps. */
  readonly jump?: string;
  /** Only in maps of values. */
  readonly data?: readonly string[];
}

/** A sysctl below /proc/sys, dotted with `/` kept inside interface names: "net.ipv4.conf.eth0/100.rp_filter". */
export interface Sysctl {
  readonly key: string;
  readonly value: string;
}

/** What one owner (a guest, or the uplinks together) wants of the kernel. */
export interface Part {
  readonly netns: readonly Netns[];
  readonly links: readonly Link[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly elements: readonly Element[];
  /** Written after the links exist and never restored: they die with the part's own links. */
  readonly linkSysctls: readonly Sysctl[];
}

export interface Uplink {
  readonly ifname: string;
  readonly ifindex: number;
}

/** Name servers for the session's user, and the proxy for every other user whose traffic follows a VPN; all of one family. */
export interface UserDns {
  readonly family: 'ipv4' | 'ipv6';
  readonly proxy: string;
  readonly nameservers: readonly string[];
}

/** What decides the chains of `table inet patchpanel`. */
export interface Shape {
  readonly uplinks: readonly Uplink[];
  /** IPv4 address space of guests, never to leave by an uplink as a source. */
  readonly guestPrefixes: readonly string[];
  /** Every address that an ARC device can have; each gets a chain that leads there. */
  readonly arcAddresses?: readonly string[];
  /** uid whose own name lookups are the session's, and that reaches locked ports; null: this host has no such user. */
  readonly sessionUser?: number | null;
  /** Where name lookups of the host's own users go; at most one for each family. */
  readonly userDns?: readonly UserDns[];
  /** Name of the uplink that the user's traffic must take; absent: no VPN is up. */
  readonly vpn?: string;
  /** The user's traffic leaves by a VPN or not at all. */
  readonly lockdown?: true;
  /** Absent: the host's own traffic is all SYSTEM. */
  readonly localSources?: LocalSources;
}

/** Whose traffic the host's own is (spec/patchpanel.md 3.2). */
export interface LocalSources {
  /** Each of these wants the VPN, unless its socket says otherwise. */
  readonly users: readonly { readonly uid: number; readonly source: TrafficSource }[];
  /** The kernel can match net_cls.classid, by which the update engine is known. */
  readonly cgroup: boolean;
}

/** The whole desired state. Parts are compared by reference first: build each once per guest value. */
export interface Desired {
  /** null: no table at all. */
  readonly shape: Shape | null;
  /** Restored when no longer desired, if they still hold our value. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** By owner: "uplinks", "namespace/3", ... */
  readonly parts: SharedMap<string, Part>;
}

/** Before the first start, and after a clean stop. */
export const NOTHING: Desired = { shape: null, sysctls: new Map(), parts: SharedMap.of() };
