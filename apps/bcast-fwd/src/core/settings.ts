import type { Limits } from './limits';
import type { Policy } from './policy';

export const DIRECTIONS = ['two-way', 'inbound', 'outbound'] as const;
/** inbound: from the LAN to guests only. */
export type Direction = (typeof DIRECTIONS)[number];

export const SOURCES = ['preserve', 'egress', 'session', 'auto'] as const;
/**
 * Whose address a datagram bears on its way out. `preserve`: its sender's. `egress`: this host's, with the sender's port. `session`: this
 * host's, with a port that is held, and answers to it go back to the sender. `auto`: as session where the sender's port is a client's and
 * free here, so that it is kept in any case; else as egress.
 */
export type SourceMode = (typeof SOURCES)[number];

/** Ports from here on are clients': the lower bound of Linux's net.ipv4.ip_local_port_range. */
export const FIRST_CLIENT_PORT = 32_768;

/** A number by which relays on one network know each other: in DSCP, or as TTL 64 + id. */
export interface Mark {
  readonly field: 'dscp' | 'ttl';
  readonly id: number;
}

export const MAX_MARK_ID = 63;
const TTL_BASE = 64;

export interface RelaySettings {
  readonly policy: Policy;
  /** Frames a second of one source; 0: no limit. */
  readonly rate: number;
  readonly toLan: SourceMode;
  readonly toGuests: SourceMode;
  readonly mark: Mark | null;
  readonly limits: Limits;
}

interface Marked {
  readonly ttl: number;
  readonly tos: number;
}

/** It bears the mark of any relay, not only ours: two relays with two marks would loop as well. */
export function isMarked(mark: Mark | null, { ttl, tos }: Marked): boolean {
  if (mark === null) return false;
  return mark.field === 'dscp' ? tos >>> 2 !== 0 : ttl > TTL_BASE && ttl <= TTL_BASE + MAX_MARK_ID;
}

/** DSCP is the upper six bits, RFC 2474 §3. Without a mark nothing is changed: the TTL is not counted down. */
export function marked(mark: Mark | null, header: Marked): Marked {
  if (mark === null) return header;
  const { ttl, tos } = header;
  return mark.field === 'dscp' ? { ttl, tos: (mark.id << 2) | (tos & 3) } : { ttl: TTL_BASE + mark.id, tos };
}
