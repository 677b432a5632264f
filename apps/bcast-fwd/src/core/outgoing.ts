import type { Millis } from '@pp/base';
import { IPV4_HEADER, UDP_HEADER, udp4Frames, type Udp4Datagram } from '@pp/wire';
import { exitDestinations, type RelayLink } from './link';
import type { Asker, ReplyPorts } from './reply';
import { FIRST_CLIENT_PORT, marked, type RelaySettings, type SourceMode } from './settings';

/** A datagram for a link. The payload is borrowed. */
export interface Copy {
  readonly exit: RelayLink;
  /** To this station; null: to all. */
  readonly mac: Uint8Array | null;
  readonly datagram: Udp4Datagram;
}

type Sender = Pick<Udp4Datagram, 'source' | 'sourcePort'>;

/** What goes out on a link of what an asker sent: one copy, or one for each target. */
export function copyFor(
  datagram: Udp4Datagram,
  asker: Asker,
  exit: RelayLink,
  { toLan, toGuests, mark }: Pick<RelaySettings, 'toLan' | 'toGuests' | 'mark'>,
  replyPorts: ReplyPorts,
  now: Millis,
): readonly Copy[] | 'no-source' {
  const mode = exit.role === 'lan' ? toLan : toGuests;
  const sender = mode === 'preserve' ? datagram : ownSender(mode, asker, exit, replyPorts, now);
  if (sender === null) return 'no-source';
  const { ttl, tos } = marked(mark, datagram);
  return exitDestinations(exit, datagram.destination).map((destination) => ({
    exit,
    mac: null,
    datagram: {
      tos,
      id: datagram.id,
      dontFragment: datagram.dontFragment,
      ttl,
      options: datagram.options,
      source: sender.source,
      destination,
      sourcePort: sender.sourcePort,
      destinationPort: datagram.destinationPort,
      payload: datagram.payload,
    },
  }));
}

/** This host's address on the link, and a port. null: it has none. */
function ownSender(
  mode: Exclude<SourceMode, 'preserve'>,
  asker: Asker,
  exit: RelayLink,
  replyPorts: ReplyPorts,
  now: Millis,
): Sender | null {
  const address = exit.addresses[0]?.address;
  if (address === undefined) return null;
  const way = { exit, address };
  const kept = { source: address, sourcePort: asker.port };
  if (mode === 'egress' || (mode === 'auto' && asker.port < FIRST_CLIENT_PORT)) return kept;
  const wanted = asker.port < FIRST_CLIENT_PORT ? 0 : asker.port; // a guest must not hold a port of this host's services
  const port = replyPorts.portFor(asker, way, wanted, now);
  if (port !== null) return { source: address, sourcePort: port };
  if (mode === 'auto' || wanted === 0) return kept;
  return { source: address, sourcePort: replyPorts.portFor(asker, way, 0, now) ?? asker.port };
}

const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

/** The copy as it goes on the wire. `nextId` numbers what must be cut into fragments and has no number (RFC 6864 §4.1). */
export function framesOf(
  { exit, mac, datagram }: Copy,
  allocate: (length: number) => Uint8Array,
  nextId: () => number,
): readonly Uint8Array[] {
  const { options, payload, id } = datagram;
  const isWhole = IPV4_HEADER + options.length + UDP_HEADER + payload.length <= exit.mtu;
  const ethernet = exit.mac === null ? null : { source: exit.mac, destination: mac ?? BROADCAST_MAC };
  return udp4Frames(isWhole || id !== 0 ? datagram : { ...datagram, id: nextId() }, {
    ethernet,
    mtu: exit.mtu,
    allocate,
  });
}
