import { ifnameOfSysctl } from '@pp/datapath';
import type { Op, Sysctl } from '@pp/datapath';

/** A step that sets a sysctl. */
export interface SysctlStep {
  readonly at: number;
  readonly op: Extract<Op, { do: 'sysctl.set' }>;
}

/** A setting of a new link for IPv4, under the kernel's number for it. */
export interface LinkConf {
  readonly at: number;
  readonly ifname: string;
  readonly number: number;
  readonly value: number;
}

/** linux/ip.h, IPV4_DEVCONF_*: sysctls that rtnetlink sets as well; the file of a new link takes the kernel 40 us and more to make. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['accept_redirects', 4],
  ['send_redirects', 6],
  ['arp_filter', 13],
  ['accept_local', 23],
]);

/** The settings that can go with the link that they are about; `ifnames`: of those that are made. */
export function linkConfsIn(
  settings: readonly SysctlStep[],
  ifnames: ReadonlySet<string>,
): readonly LinkConf[] {
  const confs: LinkConf[] = []; // BOUNDED: by `settings`
  for (const { at, op } of settings) {
    const conf = linkConfOf(at, op.sysctl);
    if (conf !== null && ifnames.has(conf.ifname)) confs.push(conf);
  }
  return confs;
}

function linkConfOf(at: number, { key, value }: Sysctl): LinkConf | null {
  if (!key.startsWith('net.ipv4.conf.')) return null;
  const number = NUMBERS.get(key.slice(key.lastIndexOf('.') + 1));
  if (number === undefined || !/^\d{1,9}$/.test(value)) return null;
  const ifname = ifnameOfSysctl(key);
  return ifname === null ? null : { at, ifname, number, value: Number(value) };
}

/** Those of one link, as the message has them that is before it comes up. */
export function inetConfOf(
  link: string,
  confs: readonly LinkConf[],
): ReadonlyMap<number, number> | undefined {
  const inetConf = new Map<number, number>(); // BOUNDED: by NUMBERS
  for (const { ifname, number, value } of confs) if (ifname === link) inetConf.set(number, value);
  return inetConf.size === 0 ? undefined : inetConf;
}
