/**
 * Keys of one interface, dotted as sysctl(8) writes them: a dot of the name becomes a slash.
 * linkSysctl('ipv6', 'eth0.100', 'accept_ra') is "net.ipv6.conf.eth0/100.accept_ra".
 */
export const linkSysctl = (family: 'ipv4' | 'ipv6', ifname: string, leaf: string): string =>
  `net.${family}.conf.${ifname.includes('.') ? ifname.replaceAll('.', '/') : ifname}.${leaf}`;

/** The interface whose key it is; null: no interface's. */
export function ifnameOfSysctl(key: string): string | null {
  const name = /^net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\.[^.]+$/.exec(key)?.[1];
  return name === undefined || name === 'all' || name === 'default' ? null : name.replaceAll('/', '.');
}
