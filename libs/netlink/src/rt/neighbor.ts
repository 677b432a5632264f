import type { Part } from '../codec/parts';
import { all, attribute, encode, optional, u16host, u32host, u8 } from '../codec/parts';
import { Attributes } from '../codec/attributes';
import { decodeIp, decodeMac, encodeIp, encodeMac, familyName, familyNumber } from '../codec/ip';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { NLM_F_CREATE, NLM_F_REPLACE } from '../codec/message';
import { readS32host, readU16host, readU8 } from '../codec/numbers';
import type { NetlinkRequest, Query } from '../request';
import { RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from './types';

/** An entry of the ARP or neighbour discovery cache. */
export interface Neighbor {
  readonly ifindex: number;
  readonly address: string;
  /** '' while unresolved. */
  readonly mac: string;
  readonly state: NeighborState;
}

export type NeighborState = keyof typeof STATES;

/** NUD_* (linux/neighbour.h). */
const STATES = {
  none: 0x00,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const;
const STATE_NAMES = new Map<number, NeighborState>(
  Object.entries(STATES).map(([name, number]) => [number, name as NeighborState]),
);

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDMSG = 12;

/** Adds the entry or changes the one there is. */
export const setNeighbor = (neighbor: Neighbor): NetlinkRequest => ({
  label: () => `neighbor.set ${neighbor.address} dev #${neighbor.ifindex} ${neighbor.state}`,
  type: RTM_NEWNEIGH,
  flags: NLM_F_CREATE | NLM_F_REPLACE,
  body: encode(
    ndmsg(neighbor.ifindex, neighbor.address, STATES[neighbor.state]),
    attribute(NDA_DST, encodeIp(neighbor.address)),
    optional(neighbor.mac === '' ? null : neighbor.mac, (mac) => attribute(NDA_LLADDR, encodeMac(mac))),
  ),
});

/** Of both families; proxy entries are left out. */
export const dumpNeighbors = (): Query<Neighbor> => ({
  label: () => 'neighbor.dump',
  type: RTM_GETNEIGH,
  flags: 0,
  body: new Uint8Array(NDMSG),
  decode: decodeNeighbor,
});

/** struct ndmsg: u8 family, three bytes of padding, s32 ifindex, u16 state, u8 flags, u8 type. */
const ndmsg = (ifindex: number, address: string, state: number): Part =>
  all(
    u8(familyNumber(encodeIp(address).length === 4 ? 'ipv4' : 'ipv6'), 0, 0, 0),
    u32host(ifindex),
    u16host(state),
    u8(0, 0),
  );

/** null: not an Internet neighbour (a bridge's forwarding entry, say). Throws MalformedError. */
export function decodeNeighbor({ type, body }: NetlinkMessage): Neighbor | null {
  if (type !== RTM_NEWNEIGH && type !== RTM_DELNEIGH) return null;
  if (body.length < NDMSG) throw new MalformedError(`neighbour message of ${body.length} bytes`);
  if (familyName(readU8(body, 0)) === null) return null;
  const attributes = new Attributes(body, NDMSG);
  const address = attributes.bytes(NDA_DST);
  if (address === null) return null;
  return {
    ifindex: readS32host(body, 4),
    address: decodeIp(address),
    mac: decodeMac(attributes.bytes(NDA_LLADDR) ?? new Uint8Array(0)),
    state: STATE_NAMES.get(readU16host(body, 8)) ?? 'none',
  };
}
