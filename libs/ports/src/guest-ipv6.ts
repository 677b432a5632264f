/** IPv6 of links inside connected namespaces. */
export interface GuestIpv6 {
  /**
   * Has `ifname` in the namespace of this name configure itself anew: its addresses go, and it solicits routers. A link without IPv6 is
   * left without. Throws KernelError: ENOENT where the namespace or the link is gone.
   */
  restart(netns: string, ifname: string): void;
}
