import { accept, refuse, type Checked } from '@pp/base';
import { parseIpv4, parseIpv6, type Family } from '@pp/wire';

/** A multicast group and port that is relayed. */
export interface Group {
  /** "mdns", "ssdp", or ADDR:PORT as it was asked for. */
  readonly name: string;
  /** How its packets are understood; of `other` ones nothing is known. */
  readonly kind: 'mdns' | 'ssdp' | 'other';
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  /** TTL or hop limit of what is sent: 255 for mDNS (RFC 6762 §11), 2 else (UPnP Device Architecture 2.0, §1.1.2). */
  readonly hopLimit: number;
  /** How long unicast answers to a sender are passed on, in seconds; 0: there are none. */
  readonly replySec: number;
}

export const PROTOCOLS = ['mdns', 'ssdp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const MDNS_PORT = 5353;
const MDNS = { name: 'mdns', kind: 'mdns', port: MDNS_PORT, hopLimit: 255, replySec: 5 } as const;
const SSDP = { name: 'ssdp', kind: 'ssdp', port: 1900, hopLimit: 2, replySec: 5 } as const;

const GROUPS: Readonly<Record<Protocol, readonly Group[]>> = {
  mdns: [
    { ...MDNS, family: 'ipv4', address: '224.0.0.251' },
    { ...MDNS, family: 'ipv6', address: 'ff02::fb' },
  ],
  ssdp: [
    { ...SSDP, family: 'ipv4', address: '239.255.255.250' },
    { ...SSDP, family: 'ipv6', address: 'ff02::c' },
    { ...SSDP, family: 'ipv6', address: 'ff05::c' },
  ],
};

export const groupsOf = (protocols: readonly Protocol[]): readonly Group[] =>
  protocols.flatMap((protocol) => GROUPS[protocol]);

/** "224.0.0.251:5353": one group, however it was asked for. */
export const groupKey = ({ family, address, port }: Pick<Group, 'family' | 'address' | 'port'>): string =>
  family === 'ipv4' ? `${address}:${port}` : `[${address}]:${port}`;

const WANTED =
  'write ADDR:PORT[:reply=SECONDS], for example 239.255.255.250:3702:reply=10 or [ff02::1:3]:5355';
const MAX_REPLY_SEC = 60;

/** "239.255.255.250:3702:reply=10", "[ff02::c]:3702". */
export function checkedGroup(text: string): Checked<Group> {
  const match = /^(?:\[([^\]]+)\]|([0-9.]+)):([0-9]{1,5})(?::reply=([0-9]{1,3}))?$/.exec(text);
  if (match === null) return refuse('InvalidArgument', `group '${text}' is not understood; ${WANTED}`);
  const [, v6 = '', v4 = '', digits, seconds] = match;
  const ipv4 = parseIpv4(v4);
  const address = ipv4 ?? parseIpv6(v6);
  const [port, replySec] = [Number(digits), Number(seconds ?? 0)];
  if (address === null || !(ipv4 === null ? /^ff/.test(address) : isMulticast4(ipv4)))
    return refuse('InvalidArgument', `'${v4 + v6}' is not a multicast address; ${WANTED}`);
  if (port < 1 || port > 65535 || replySec > MAX_REPLY_SEC)
    return refuse(
      'InvalidArgument',
      `group '${text}' is out of range; ports go to 65535, replies to ${MAX_REPLY_SEC} s`,
    );
  const family = ipv4 === null ? 'ipv6' : 'ipv4';
  const known = groupsOf(PROTOCOLS).find((group) => groupKey(group) === groupKey({ family, address, port }));
  return known !== undefined
    ? refuse('InvalidArgument', `group '${text}' is that of ${known.name}; write --protocol ${known.name}`)
    : accept({
        name: groupKey({ family, address, port }),
        kind: 'other',
        family,
        address,
        port,
        hopLimit: 2,
        replySec,
      });
}

const isMulticast4 = (address: string): boolean => {
  const first = Number(address.split('.')[0]);
  return first >= 224 && first < 240;
};
