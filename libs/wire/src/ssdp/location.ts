import { parseIpv4, type Ipv4Address } from '../addr/ipv4';
import { parseIpv6, type Ipv6Address } from '../addr/ipv6';

/** Headers that hold the URL of a device (UPnP Device Architecture 2.0, §1.2.2; DIAL 2.2, §5.4). */
export const LOCATION_HEADERS = ['location', 'securelocation.upnp.org', 'al', 'application-url'] as const;

/** Host and port of a URL, and where they are in its text. `address` is null for a name. */
export interface Authority {
  readonly address: Ipv4Address | Ipv6Address | null;
  readonly port: number;
  readonly start: number;
  readonly end: number;
}

const URL =
  /^<?(https?):\/\/(?:\[([0-9a-f:.]+)(?:%25[^\]]*)?\]|([^/:?#[\]@<>\s]+))(?::([0-9]{1,5}))?(?=[/?#>]|$)/i;

/** null: no URL of HTTP that leads anywhere. A zone of an IPv6 address is passed over. */
export function authorityOf(url: string): Authority | null {
  const match = URL.exec(url);
  if (match === null) return null;
  const [whole, scheme = '', ipv6, host = '', digits] = match;
  const port = digits === undefined ? (scheme.toLowerCase() === 'https' ? 443 : 80) : Number(digits);
  const address = ipv6 === undefined ? parseIpv4(host) : parseIpv6(ipv6);
  if (port < 1 || port > 65535 || (ipv6 !== undefined && address === null)) return null;
  return { address, port, start: whole.indexOf('//') + 2, end: whole.length };
}

/**
 * Whether an address means the same beyond its own link: not link-local, loopback, unspecified or multicast, nor an IPv4 address in the
 * dress of IPv6, which only programs on one host use (RFC 6890 §2.2.3).
 */
export function isRoutable(address: Ipv4Address | Ipv6Address): boolean {
  if (address.includes(':')) return !/^(::1?$|::ffff:\d+\.|fe[89ab]|ff)/.test(address);
  const [first = 0, second = 0] = address.split('.').map(Number);
  return first !== 0 && first !== 127 && first < 224 && !(first === 169 && second === 254);
}
