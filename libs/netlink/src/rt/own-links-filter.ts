import { bpf } from '@pp/wire';
import { setU16host, setU32host, viewOf } from '../codec/numbers';
import * as IFLA from './ifla';
import { RTM_DELROUTE, RTM_NEWLINK, RTM_NEWROUTE } from './types';

const { accept, Ancillary, jump, label, load } = bpf;

// Offsets in a message of rtnetlink (linux/netlink.h, linux/rtnetlink.h)
const NLMSG_TYPE = 4;
const RTM_TABLE = 16 + 4;
const IFI_CHANGE = 16 + 12;
const LINK_ATTRIBUTES = 16 + 16;
const ATTRIBUTE_VALUE = 4;
const KIND_VALUE = 8; // of IFLA_LINKINFO, whose first attribute is IFLA_INFO_KIND

const RT_TABLE_LOCAL = 255;
const NEW = 0xffffffff; // ifi_change of a link's first message
const VETH = 0x76657468; // "veth"
const WHOLE = 0x7fffffff;

/**
 * Keeps from a socket what whoever makes many links tells it by doing so: of veths of these groups all but that they came and went (they
 * have the group from their first message; a TAP has not), and what the kernel itself keeps in table local.
 */
export function ownLinksFilter(groups: readonly number[]): readonly bpf.BpfInstruction[] {
  return bpf.assembleBpf([
    load('ldH', NLMSG_TYPE),
    jump('jeq', loaded16(RTM_NEWROUTE), { then: 'route' }),
    jump('jeq', loaded16(RTM_DELROUTE), { then: 'route' }),
    jump('jeq', loaded16(RTM_NEWLINK), { else: 'accept' }),
    load('ldW', IFI_CHANGE),
    jump('jeq', NEW, { then: 'accept' }),
    { op: 'ldImm', k: LINK_ATTRIBUTES },
    { op: 'ldxImm', k: IFLA.LINKINFO },
    load('ldW', Ancillary.netlinkAttribute),
    jump('jeq', 0, { then: 'accept' }),
    { op: 'tax', k: 0 },
    { op: 'ldWx', k: KIND_VALUE },
    jump('jeq', VETH, { else: 'accept' }),
    { op: 'ldImm', k: LINK_ATTRIBUTES },
    { op: 'ldxImm', k: IFLA.GROUP },
    load('ldW', Ancillary.netlinkAttribute),
    jump('jeq', 0, { then: 'accept' }),
    { op: 'tax', k: 0 },
    { op: 'ldWx', k: ATTRIBUTE_VALUE },
    ...groups.map((group) => jump('jeq', loaded32(group), { then: 'drop' })),
    jump('jeq', 0, { then: 'accept', else: 'accept' }),

    label('route'),
    load('ldB', RTM_TABLE),
    jump('jeq', RT_TABLE_LOCAL, { then: 'drop' }),

    label('accept'),
    accept(WHOLE),
    label('drop'),
    accept(0),
  ]);
}

/** BPF loads in the network's byte order what netlink has in the machine's. */
export function loaded16(value: number): number {
  const view = viewOf(new Uint8Array(2));
  setU16host(view, 0, value);
  return view.getUint16(0);
}

export function loaded32(value: number): number {
  const view = viewOf(new Uint8Array(4));
  setU32host(view, 0, value);
  return view.getUint32(0);
}
