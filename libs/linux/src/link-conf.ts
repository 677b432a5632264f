import { describe, ifnameOfSysctl } from '@pp/datapath';
import type { Sysctl } from '@pp/datapath';
import { setLink } from '@pp/netlink';
import type { NetlinkRequest } from '@pp/netlink';
import type { NumberedLink } from './new-links';
import type { Step } from './runs';

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
  ['accept_local', 23],
]);

/** The steps that can go with the link that they are about; `ifnames`: of those that are made. */
export function linkConfsIn(steps: readonly Step[], ifnames: ReadonlySet<string>): readonly LinkConf[] {
  const confs: LinkConf[] = []; // BOUNDED: by `steps`
  for (const { at, op } of steps) {
    if (op.do !== 'sysctl.set' || op.onlyIf !== null) continue;
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

/** One message for each link that has some. It counts as a part of the link's making, and belongs before the link is up. */
export const confRequests = (
  links: readonly NumberedLink[],
  confs: readonly LinkConf[],
): readonly { readonly at: number; readonly request: NetlinkRequest }[] =>
  links.flatMap(({ at, op, ifindex }) => {
    const inetConf = new Map<number, number>(); // BOUNDED: by NUMBERS
    for (const { ifname, number, value } of confs) if (ifname === op.link.ifname) inetConf.set(number, value);
    if (inetConf.size === 0) return [];
    return [{ at, request: { ...setLink(ifindex, { inetConf }), label: () => describe(op) } }];
  });
