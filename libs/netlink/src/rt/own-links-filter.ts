import { bpf } from '@pp/wire';
import { setU16host, setU32host, viewOf } from '../codec/numbers';
import { IFA_PROTO, IFADDRMSG } from './address';
import * as IFLA from './ifla';
import * as RTA from './rta';
import { RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE } from './types';

const { accept, Ancillary, jump, label, load } = bpf;

// Offsets in a message of rtnetlink (linux/netlink.h, linux/rtnetlink.h)
const NLMSG_TYPE = 4;
const NLMSG_PID = 12;
const RTM_FAMILY = 16;
const IFINFO_FLAGS = 16 + 8;
const IFINFO_CHANGE = 16 + 12;
const RTM_DST_LEN = 16 + 1;
const RTM_TABLE = 16 + 4;
const RTM_PROTOCOL = 16 + 5;
const ROUTE_ATTRIBUTES = 16 + RTA.RTMSG;
const LINK_ATTRIBUTES = 16 + 16;
const ADDRESS_ATTRIBUTES = 16 + IFADDRMSG;
const ATTRIBUTE_VALUE = 4;
const KIND_VALUE = 8; // of IFLA_LINKINFO, whose first attribute is IFLA_INFO_KIND

const RT_TABLE_LOCAL = 255;
const AF_INET = 2;
const AF_INET6 = 10;
const RTPROT_KERNEL = 2;
const LINK_LOCAL = 0xfe800000;
const VETH = 0x76657468; // "veth"
const TUN = 0x74756e00; // "tun", and the NUL
const IFF_UP = 0x1; // linux/if.h
const WHOLE = 0x7fffffff;

/** How whoever makes many links marks them and what they have. */
export interface OwnMarks {
  /** Of a veth; it has one from its first message, a TAP when it comes up. */
  readonly groups: readonly number[];
  /** Of an address, as `addAddress` sets it. */
  readonly protocol: number;
}

/**
 * Keeps from a socket what whoever makes many links tells it by doing so: all of the veths of these groups, addresses of this protocol, what the
 * kernel itself keeps in table local, and the routes that it makes and takes with an address of IPv4 or a link's own of IPv6 (fe80::/64), so
 * that news of a link or of an address goes with them. Nor does it hear of their TAPs that are up and stay so: a VMM can make such news as fast as it
 * likes, by TUNSETIFF and SIOCSIFHWADDR.
 */
export function ownLinksFilter({ groups, protocol }: OwnMarks): readonly bpf.BpfInstruction[] {
  return bpf.assembleBpf([
    load('ldH', NLMSG_TYPE),
    jump('jeq', loaded16(RTM_NEWROUTE), { then: 'route' }),
    jump('jeq', loaded16(RTM_DELROUTE), { then: 'route' }),
    jump('jeq', loaded16(RTM_NEWADDR), { then: 'address' }),
    jump('jeq', loaded16(RTM_DELADDR), { then: 'address' }),
    jump('jeq', loaded16(RTM_NEWLINK), { then: 'link' }),
    jump('jeq', loaded16(RTM_DELLINK), { else: 'accept' }),

    ...ofLinks(groups),

    label('address'),
    { op: 'ldImm', k: ADDRESS_ATTRIBUTES },
    { op: 'ldxImm', k: IFA_PROTO },
    load('ldW', Ancillary.netlinkAttribute),
    jump('jeq', 0, { then: 'accept' }), // kernels before 5.18 have none
    { op: 'tax', k: 0 },
    { op: 'ldBx', k: ATTRIBUTE_VALUE },
    jump('jeq', protocol, { then: 'drop', else: 'accept' }),

    label('route'),
    load('ldB', RTM_TABLE),
    jump('jeq', RT_TABLE_LOCAL, { then: 'drop' }),
    load('ldB', RTM_PROTOCOL),
    jump('jeq', RTPROT_KERNEL, { else: 'accept' }),
    load('ldW', NLMSG_PID),
    jump('jeq', 0, { else: 'accept' }), // somebody did it by hand
    load('ldB', RTM_FAMILY),
    jump('jeq', AF_INET, { then: 'drop' }),
    jump('jeq', AF_INET6, { else: 'accept' }),
    load('ldB', RTM_DST_LEN),
    jump('jeq', 64, { else: 'accept' }),
    { op: 'ldImm', k: ROUTE_ATTRIBUTES },
    { op: 'ldxImm', k: RTA.DST },
    load('ldW', Ancillary.netlinkAttribute),
    jump('jeq', 0, { then: 'accept' }),
    { op: 'tax', k: 0 },
    { op: 'ldWx', k: ATTRIBUTE_VALUE },
    jump('jeq', LINK_LOCAL, { then: 'drop' }),
    jump('jeq', 0, { then: 'accept', else: 'accept' }),

    label('accept'),
    accept(WHOLE),
    label('drop'),
    accept(0),
  ]);
}

/** Of a veth of ours all; of a TAP of ours what is told once it is up. */
const ofLinks = (groups: OwnMarks['groups']): readonly bpf.BpfLine[] => [
  label('link'),
  { op: 'ldImm', k: LINK_ATTRIBUTES },
  { op: 'ldxImm', k: IFLA.LINKINFO },
  load('ldW', Ancillary.netlinkAttribute),
  jump('jeq', 0, { then: 'accept' }),
  { op: 'tax', k: 0 },
  { op: 'ldWx', k: KIND_VALUE },
  jump('jeq', VETH, { then: 'group' }),
  jump('jeq', TUN, { else: 'accept' }),
  load('ldW', IFINFO_FLAGS),
  jump('jset', loaded32(IFF_UP), { else: 'accept' }),
  load('ldW', IFINFO_CHANGE),
  jump('jeq', 0, { else: 'accept' }), // it comes up, and so its tag is told for the first time

  label('group'),
  { op: 'ldImm', k: LINK_ATTRIBUTES },
  { op: 'ldxImm', k: IFLA.GROUP },
  load('ldW', Ancillary.netlinkAttribute),
  jump('jeq', 0, { then: 'accept' }),
  { op: 'tax', k: 0 },
  { op: 'ldWx', k: ATTRIBUTE_VALUE },
  ...groups.map((group) => jump('jeq', loaded32(group), { then: 'drop' })),
  jump('jeq', 0, { then: 'accept', else: 'accept' }),
];

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
