// linux/if_link.h, IFLA_*
export const ADDRESS = 1;
export const IFNAME = 3;
export const MTU = 4;
export const LINK = 5;
export const MASTER = 10;
export const LINKINFO = 18;
export const IFALIAS = 20;
export const AF_SPEC = 26;
export const GROUP = 27;
export const NET_NS_FD = 28;
export const EXT_MASK = 29;
export const NUM_TX_QUEUES = 31;
export const NUM_RX_QUEUES = 32;
export const LINK_NETNSID = 37;
export const PARENT_DEV_NAME = 56;

// Inside AF_SPEC, inside AF_INET
export const INET_CONF = 1;

// Inside LINKINFO
export const INFO_KIND = 1;
export const INFO_DATA = 2;

// Inside INFO_DATA, by kind
export const VETH_INFO_PEER = 1;
export const MACVLAN_MODE = 1;
export const BR_AGEING_TIME = 4;
export const TUN_TYPE = 3; // linux/if_link.h: IFLA_TUN_UNSPEC, OWNER, GROUP, TYPE
