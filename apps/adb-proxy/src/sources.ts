import { accept, refuse, type Checked } from '@pp/base';
import { BlockList, isIP } from 'node:net';

/** Who may connect. */
export interface Sources {
  allows(address: string): boolean;
  /** As they were written. */
  readonly texts: readonly string[];
}

export const SOURCE_EXAMPLE = '--from 192.168.1.0/24';

/** Addresses and subnets: "192.168.1.7", "192.168.1.0/24", "fd00::/8". */
export function checkedSources(texts: readonly string[]): Checked<Sources> {
  const list = new BlockList();
  for (const text of texts) {
    const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = address.includes('%') ? 0 : isIP(address);
    const bits = family === 4 ? 32 : 128;
    const length = digits === undefined ? bits : Number(digits);
    if (family === 0 || length > bits)
      return refuse(
        'InvalidArgument',
        `--from '${text}' is no address and no subnet; write for example ${SOURCE_EXAMPLE}`,
      );
    list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  return accept({ allows: (address) => list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'), texts });
}

/** Nothing but this host can connect to such an address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
