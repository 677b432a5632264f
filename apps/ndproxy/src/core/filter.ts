import { bpf, ETHERNET_HEADER, ETHERTYPE_IPV6, Icmp6Type, NextHeader } from '@pp/wire';

const { Ancillary, jump, label, load } = bpf;

const ETHER_TYPE = 12; // in an Ethernet frame
// Offsets in an IPv6 packet
const NEXT_HEADER = 6;
const ICMP_TYPE = 40;
const EXTENSION_NEXT_HEADER = 40;
const ICMP_TYPE_IN_FRAGMENT = 48;

const PACKET_OTHERHOST = 3; // linux/if_packet.h
const WHOLE = 0xffff;

/**
 * What a packet socket of a member lets through: neighbour discovery, also where it hides behind one extension header, so that such
 * frames are counted. Of what this host sends: solicitations and advertisements. Frames for other stations are not ours to see.
 */
export const ND_FILTER: readonly bpf.BpfInstruction[] = bpf.assembleBpf([
  load('ldB', Ancillary.packetType),
  jump('jeq', PACKET_OTHERHOST, { then: 'drop' }),
  load('ldH', ETHER_TYPE),
  jump('jeq', ETHERTYPE_IPV6, { else: 'drop' }),
  ...neighborDiscovery(ETHERNET_HEADER),
]);

/** The same for a point-to-point link, whose frames are bare packets. */
export const BARE_ND_FILTER: readonly bpf.BpfInstruction[] = bpf.assembleBpf([
  load('ldB', 0),
  { op: 'and', k: 0xf0 },
  jump('jeq', 6 << 4, { else: 'drop' }), // the version
  ...neighborDiscovery(0),
]);

/** From the IPv6 header on, which is at `start`. */
function neighborDiscovery(start: number): readonly bpf.BpfLine[] {
  return [
    load('ldB', start + NEXT_HEADER),
    jump('jeq', NextHeader.icmp6, { then: 'icmp6' }),
    jump('jeq', NextHeader.fragment, { then: 'extension' }),
    jump('jeq', NextHeader.hopByHop, { then: 'extension' }),
    jump('jeq', NextHeader.routing, { then: 'extension' }),
    jump('jeq', NextHeader.destination, { then: 'extension', else: 'drop' }),

    label('extension'),
    load('ldB', start + EXTENSION_NEXT_HEADER),
    jump('jeq', NextHeader.icmp6, { else: 'drop' }),
    load('ldB', start + ICMP_TYPE_IN_FRAGMENT),
    jump('jge', Icmp6Type.routerSolicit, { else: 'drop' }),
    jump('jgt', Icmp6Type.redirect, { then: 'drop', else: 'accept' }),

    label('icmp6'),
    load('ldB', start + ICMP_TYPE),
    jump('jge', Icmp6Type.routerSolicit, { else: 'drop' }),
    jump('jgt', Icmp6Type.redirect, { then: 'drop' }),

    label('accept'),
    bpf.accept(WHOLE),
    label('drop'),
    bpf.accept(0),
  ];
}
