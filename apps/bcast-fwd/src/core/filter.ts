import { bpf, PROTOCOL_UDP } from '@pp/wire';
import { LIMITED_BROADCAST, type RelayLink } from './link';

const { Ancillary, jump, label, load } = bpf;

const PACKET_BROADCAST = 1; // linux/if_packet.h
// Offsets in an Ethernet frame, and in a bare IPv4 packet
const ETHERNET_PROTOCOL = 23;
const BARE_PROTOCOL = 9;
const BARE_DESTINATION = 16;
const WHOLE = 0xffff;

/** UDP in Ethernet broadcasts: who sends an IP broadcast to one station means somebody else. */
const ETHERNET_FILTER: readonly bpf.BpfInstruction[] = bpf.assembleBpf([
  load('ldB', Ancillary.packetType),
  jump('jeq', PACKET_BROADCAST, { else: 'drop' }),
  load('ldB', ETHERNET_PROTOCOL),
  jump('jeq', PROTOCOL_UDP, { else: 'drop' }),
  bpf.accept(WHOLE),
  label('drop'),
  bpf.accept(0),
]);

/** What a packet socket of the link lets through. On links without Ethernet it names the link's broadcast addresses. */
export function filterOf({ mac, addresses }: RelayLink): readonly bpf.BpfInstruction[] {
  if (mac !== null) return ETHERNET_FILTER;
  const broadcasts = addresses.flatMap((each) => each.broadcasts);
  return bpf.assembleBpf([
    load('ldB', BARE_PROTOCOL),
    jump('jeq', PROTOCOL_UDP, { else: 'drop' }),
    load('ldW', BARE_DESTINATION),
    ...broadcasts.slice(0, MAX_BROADCASTS).map((address) => jump('jeq', address, { then: 'accept' })),
    jump('jeq', LIMITED_BROADCAST, { else: 'drop' }),
    label('accept'),
    bpf.accept(WHOLE),
    label('drop'),
    bpf.accept(0),
  ]);
}

/** A jump reaches 255 instructions. */
const MAX_BROADCASTS = 64;
