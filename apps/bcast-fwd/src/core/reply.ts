import type { Millis } from '@pp/base';
import type { Udp4Datagram } from '@pp/wire';
import { isOnLink, type RelayLink } from './link';
import type { Topology } from './topology';

/** Who sent a broadcast and waits for answers. */
export interface Asker {
  readonly ifindex: number;
  readonly address: number;
  readonly port: number;
  /** null: its link has no Ethernet. */
  readonly mac: Uint8Array | null;
}

/** Where answers come to. */
export interface ReplyWay {
  readonly exit: RelayLink;
  /** Ours, on that link. */
  readonly address: number;
}

/** Holds ports of this host, at which answers to askers arrive. */
export interface ReplyPorts {
  /** A port for this asker's answers; 0 for `wanted`: any. null: it cannot be had. */
  portFor(asker: Asker, way: ReplyWay, wanted: number, now: Millis): number | null;
}

/** A datagram that came to a port that is held for an asker. */
export interface Reply {
  readonly asker: Asker;
  /** The link it came in on. */
  readonly ifindex: number;
  readonly from: number;
  readonly fromPort: number;
  readonly payload: Uint8Array;
}

const REPLY_TTL = 64; // RFC 1700's default; it does not leave the link
const NO_OPTIONS = new Uint8Array(0);

/**
 * The answer as the asker gets it. To a guest from who answers; to the LAN from this host, since nobody there knows guests' addresses.
 * null: it comes from elsewhere than from the link that was asked, or cannot be passed on now.
 */
export function replyToAsker(
  { asker, ifindex, from, fromPort, payload }: Reply,
  { links }: Topology,
): { readonly exit: RelayLink; readonly datagram: Udp4Datagram } | null {
  const [came, exit] = [links.get(ifindex), links.get(asker.ifindex)];
  if (came === undefined || exit === undefined || !isOnLink(came, from)) return null;
  const source = exit.role === 'guest' ? from : exit.addresses[0]?.address;
  if (source === undefined) return null;
  return {
    exit,
    datagram: {
      tos: 0,
      id: 0,
      dontFragment: true,
      ttl: REPLY_TTL,
      options: NO_OPTIONS,
      source,
      destination: asker.address,
      sourcePort: fromPort,
      destinationPort: asker.port,
      payload,
    },
  };
}
