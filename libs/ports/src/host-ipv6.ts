/** Whether this host has IPv6. `absent`: its kernel takes nothing of it; `off`: new interfaces get none. */
export type HostIpv6 = 'on' | 'off' | 'absent';

const DISABLE_IPV6 = 'net.ipv6.conf.all.disable_ipv6';
const OF_IPV4 = 'net.ipv4.ip_forward';

/**
 * By its sysctls, null for a key that is not there: none are of IPv6 after ipv6.disable=1 (Documentation/networking/ipv6.rst). Where there
 * are none of IPv4 either, as without /proc, nothing is known against it.
 */
export function hostIpv6Of(sysctl: (key: string) => string | null): HostIpv6 {
  const disabled = sysctl(DISABLE_IPV6);
  if (disabled === null) return sysctl(OF_IPV4) === null ? 'on' : 'absent';
  return disabled === '0' ? 'on' : 'off';
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
