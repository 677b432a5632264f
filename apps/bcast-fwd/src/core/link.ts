export type Role = 'lan' | 'guest';

/** An IPv4 address of an interface; numbers, first octet highest. */
export interface LinkAddress {
  readonly address: number;
  readonly mask: number;
  /** False: a prefix of 31 or 32 bits has no subnet to broadcast in, RFC 3021. */
  readonly hasSubnet: boolean;
  /** Directed broadcast addresses; the first is the one to send to. */
  readonly broadcasts: readonly number[];
}

/** An interface that broadcasts are relayed from and to. It need not have an address. */
export interface RelayLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly role: Role;
  /** null: frames are bare IP packets (WireGuard, TUN, PPP). */
  readonly mac: Uint8Array | null;
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  /** What goes out is sent to these addresses instead of a broadcast address. */
  readonly targets: readonly number[];
}

export const LIMITED_BROADCAST = 0xffffffff; // RFC 919 §7

/** `length`: of the prefix. `set`: a broadcast address that somebody has chosen; that of the prefix is heard as well, as the kernel does. */
export function linkAddress(address: number, length: number, set: number | null = null): LinkAddress {
  const mask = maskOf(length);
  const hasSubnet = length <= 30;
  const own = hasSubnet ? [(address | ~mask) >>> 0] : [];
  return { address, mask, hasSubnet, broadcasts: set === null ? own : [...new Set([set, ...own])] };
}

export const maskOf = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

/** The destination is for everybody on the link. */
export const isBroadcastOf = ({ addresses }: RelayLink, destination: number): boolean =>
  destination === LIMITED_BROADCAST || addresses.some(({ broadcasts }) => broadcasts.includes(destination));

/** Where a broadcast goes on its way out: the link's own directed broadcast for a directed one. */
export function exitDestinations({ targets, addresses }: RelayLink, destination: number): readonly number[] {
  if (targets.length > 0) return targets;
  if (destination === LIMITED_BROADCAST) return [LIMITED_BROADCAST];
  return [addresses.find(({ broadcasts }) => broadcasts.length > 0)?.broadcasts[0] ?? LIMITED_BROADCAST];
}

/**
 * A host on the link may have the address. Links without a subnet of their own (no address, or point to point) cannot tell, and
 * everybody may be there.
 */
export function isOnLink({ addresses }: RelayLink, source: number): boolean {
  let knows = false;
  for (const { address, mask, hasSubnet } of addresses) {
    if (!hasSubnet) continue;
    knows = true;
    if (((source ^ address) & mask) >>> 0 === 0) return true;
  }
  return !knows;
}

/** 0.0.0.0/8, 127.0.0.0/8, multicast, reserved, or a subnet's own broadcast or network address: RFC 1122 §3.2.1.3. */
export function isHostAddress({ addresses }: RelayLink, source: number): boolean {
  const first = source >>> 24;
  if (first === 0 || first === 127 || first >= 224) return false;
  return addresses.every(
    ({ address, mask, hasSubnet, broadcasts }) =>
      !broadcasts.includes(source) && (!hasSubnet || source !== (address & mask) >>> 0),
  );
}
