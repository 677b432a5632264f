/** What the kernel gives an Ethernet link, and what a link that leads nowhere now keeps. */
export const ETHERNET_MTU = 1500;
/** RFC 8200 §5. Linux takes IPv6 away from a link below it, with the link's addresses, routes and sysctls. */
export const IPV6_LEAST_MTU = 1280;
/** drivers/net/tun.c: 65535 less the Ethernet header. */
const TAP_MOST_MTU = 65521;

/** MTU of a guest's link whose traffic leaves by an uplink of that MTU: the same, as far as a link of ours can have it. */
export const guestMtu = (uplink: number = ETHERNET_MTU): number =>
  Math.min(Math.max(uplink, IPV6_LEAST_MTU), TAP_MOST_MTU);
