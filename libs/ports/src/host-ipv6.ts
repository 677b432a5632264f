/** Whether this host has IPv6. `absent`: its kernel takes nothing of it; `off`: new interfaces get none. */
export type HostIpv6 = 'on' | 'off' | 'absent';

export const DISABLE_IPV6 = 'net.ipv6.conf.all.disable_ipv6';

/** By the value of DISABLE_IPV6; null: there is no such key, as with ipv6.disable=1 (Documentation/networking/ipv6.rst). */
export function hostIpv6Of(disableIpv6: string | null): HostIpv6 {
  if (disableIpv6 === null) return 'absent';
  return disableIpv6 === '0' ? 'on' : 'off';
}

/** What guests miss by it and what to do, in a sentence; none where it is on. */
export const IPV6_WARNINGS: Readonly<Record<HostIpv6, readonly string[]>> = {
  on: [],
  off: [
    `IPv6 is switched off on this host, and guests have IPv4 alone; if that is not meant, write sysctl -w ${DISABLE_IPV6}=0`,
  ],
  absent: [
    'the kernel of this host runs without IPv6, and guests have IPv4 alone; if that is not meant, boot it without ipv6.disable=1',
  ],
};
