import { bpf, Icmp6Type, NextHeader } from '@pp/wire';

const { Ancillary, jump, label, load } = bpf;

// Offsets in an Ethernet frame
const ETHER_TYPE = 12;
const NEXT_HEADER = 20;
const ICMP_TYPE = 54;
const EXTENSION_NEXT_HEADER = 54;
const ICMP_TYPE_IN_FRAGMENT = 62;

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
  jump('jeq', 0x86dd, { else: 'drop' }),
  load('ldB', NEXT_HEADER),
  jump('jeq', NextHeader.icmp6, { then: 'icmp6' }),
  jump('jeq', NextHeader.fragment, { then: 'extension' }),
  jump('jeq', NextHeader.hopByHop, { then: 'extension' }),
  jump('jeq', NextHeader.routing, { then: 'extension' }),
  jump('jeq', NextHeader.destination, { then: 'extension', else: 'drop' }),

  label('extension'),
  load('ldB', EXTENSION_NEXT_HEADER),
  jump('jeq', NextHeader.icmp6, { else: 'drop' }),
  load('ldB', ICMP_TYPE_IN_FRAGMENT),
  jump('jge', Icmp6Type.routerSolicit, { else: 'drop' }),
  jump('jgt', Icmp6Type.redirect, { then: 'drop', else: 'accept' }),

  label('icmp6'),
  load('ldB', ICMP_TYPE),
  jump('jge', Icmp6Type.routerSolicit, { else: 'drop' }),
  jump('jgt', Icmp6Type.redirect, { then: 'drop' }),

  label('accept'),
  bpf.accept(WHOLE),
  label('drop'),
  bpf.accept(0),
]);
