import { bpf, Icmp6Type, NextHeader } from '@pp/wire';

const { Ancillary, jump, label, load } = bpf;

// Offsets in an Ethernet frame
const NEXT_HEADER = 20;
const ICMP_TYPE = 54;
const EXTENSION_NEXT_HEADER = 54;
const ICMP_TYPE_BEHIND_EXTENSION = 62;

const PACKET_OTHERHOST = 3; // linux/if_packet.h
const WHOLE = 0xffff_ffff;

/** The IPv6 that ND_FILTER leaves over, for a socket that hears nothing else. Frames for other stations are not ours to see. */
export const BRIDGE_FILTER: readonly bpf.BpfInstruction[] = bpf.assembleBpf([
  load('ldB', Ancillary.packetType),
  jump('jge', PACKET_OTHERHOST, { then: 'drop' }),
  load('ldB', NEXT_HEADER),
  jump('jeq', NextHeader.icmp6, { then: 'icmp6' }),
  jump('jeq', NextHeader.fragment, { then: 'extension' }),
  jump('jeq', NextHeader.hopByHop, { then: 'extension' }),
  jump('jeq', NextHeader.routing, { then: 'extension' }),
  jump('jeq', NextHeader.destination, { then: 'extension', else: 'accept' }),

  label('extension'),
  load('ldB', EXTENSION_NEXT_HEADER),
  jump('jeq', NextHeader.icmp6, { else: 'accept' }),
  load('ldB', ICMP_TYPE_BEHIND_EXTENSION),
  jump('jge', Icmp6Type.routerSolicit, { else: 'accept' }),
  jump('jgt', Icmp6Type.redirect, { then: 'accept', else: 'drop' }),

  label('icmp6'),
  load('ldB', ICMP_TYPE),
  jump('jge', Icmp6Type.routerSolicit, { else: 'accept' }),
  jump('jgt', Icmp6Type.redirect, { then: 'accept', else: 'drop' }),

  label('accept'),
  bpf.accept(WHOLE),
  label('drop'),
  bpf.accept(0),
]);
