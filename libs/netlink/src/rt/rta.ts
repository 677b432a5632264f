// linux/rtnetlink.h, RTA_*
export const DST = 1;
export const OIF = 4;
export const GATEWAY = 5;
export const PRIORITY = 6;
export const PREFSRC = 7;
export const MULTIPATH = 9;
export const TABLE = 15;
export const VIA = 18;
export const NH_ID = 30;

/** RTN_*, what becomes of a packet. */
export const KINDS = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const;

// Lengths of struct rtmsg and struct rtnexthop
export const RTMSG = 12;
export const RTNEXTHOP = 8;

export const RTNH_F_ONLINK = 4;
export const RTM_F_CLONED = 0x200;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
/** In a delete: any scope. */
export const RT_SCOPE_NOWHERE = 255;
/** In rtm_table: the number is in RTA_TABLE, where it may be above 255. */
export const RT_TABLE_UNSPEC = 0;
