import { accept, refuse, type Checked } from '@pp/base';
import { beyondLength } from '@pp/daemon';
import { formatCidr, isNetwork, networkOf, parseCidr } from '@pp/wire';
import { BlockList, isIP } from 'node:net';

/** Who may connect. */
export interface Sources {
  allows(address: string): boolean;
  /** As they were written. */
  readonly texts: readonly string[];
}

export const SOURCE_EXAMPLE = '--from 192.168.1.0/24';

/** Addresses and subnets: "192.168.1.7", "192.168.1.0/24", "fd00::/8". Those of one family let in nobody of the other, "::/0" neither. */
export function checkedSources(texts: readonly string[]): Checked<Sources> {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of texts) {
    const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = address.includes('%') || isMapped(address) ? undefined : familyOf(address);
    const bits = family === 'ipv4' ? 32 : 128;
    const length = digits === undefined ? bits : Number(digits);
    if (family === undefined || length > bits)
      return refuse(
        'InvalidArgument',
        `--from '${text}' is no address and no subnet; write for example ${SOURCE_EXAMPLE}`,
      );
    const cidr = parseCidr(text);
    if (cidr !== null && !isNetwork(cidr))
      return refuse('InvalidArgument', beyondLength('from', text, formatCidr(networkOf(cidr))));
    lists[family].addSubnet(address, length, family);
  }
  const allows = (address: string): boolean => {
    const family = familyOf(address);
    return family !== undefined && lists[family].check(address, family);
  };
  return accept({ allows, texts });
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined;
}

/** ::ffff:0:0/96 in any spelling: such a peer is told of as IPv4, so as a source it would never fit. */
function isMapped(address: string): boolean {
  const mapped = new BlockList();
  mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
  return isIP(address) === 6 && mapped.check(address, 'ipv6');
}

/** Nothing but this host can connect to such an address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
