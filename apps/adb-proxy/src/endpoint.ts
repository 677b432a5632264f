import { accept, refuse, type Checked } from '@pp/base';
import type { RelayTarget } from '@pp/ports';
import { isIP, isIPv6 } from 'node:net';

/** A TCP address and port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where adbd may be reached. */
export type Target = RelayTarget;

const MAX_PATH_BYTES = 107; // sockaddr_un without its NUL
const MAX_TCP_PORT = 65_535;
/** vsock(7): the largest number is VMADDR_CID_ANY and VMADDR_PORT_ANY. */
const MAX_VSOCK = 0xffff_fffe;

/** "127.0.0.1:5555" or "[::1]:5555". Sentences of refusals begin with the text in quotes. */
export function checkedEndpoint(text: string): Checked<Endpoint> {
  const [, bracketed, plain, digits] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || digits === undefined)
    return refuse('InvalidArgument', `'${text}' is not ADDR:PORT`);
  if (address.includes('%'))
    return refuse('InvalidArgument', `'${text}' has a zone; an address without %ZONE is needed`);
  if (isIP(address) === 0 || isIPv6(address) !== (bracketed !== undefined))
    return refuse('InvalidArgument', `'${text}' has no IP address (IPv6 goes in brackets)`);
  const port = numberWithin(digits, MAX_TCP_PORT);
  return port === undefined
    ? refuse('InvalidArgument', `'${text}' has no port from 1 to ${MAX_TCP_PORT}`)
    : accept({ address, port });
}

/** "unix:/PATH", "vsock:CID:PORT" or "tcp:ADDR:PORT". */
export function checkedTarget(text: string): Checked<Target> {
  const [via, rest] = splitOnce(text);
  switch (via) {
    case 'unix':
      return checkedPath(text, rest);
    case 'vsock':
      return checkedVsock(text, rest);
    case 'tcp': {
      const endpoint = checkedEndpoint(rest);
      return endpoint.ok ? accept({ via, ...endpoint.value }) : endpoint;
    }
    default:
      return refuse('InvalidArgument', `'${text}' is not unix:PATH, vsock:CID:PORT or tcp:ADDR:PORT`);
  }
}

function checkedPath(text: string, path: string): Checked<Target> {
  if (!path.startsWith('/')) return refuse('InvalidArgument', `'${text}' has no path from the root`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    return refuse('InvalidArgument', `'${text}' is longer than ${MAX_PATH_BYTES} bytes`);
  return accept({ via: 'unix', path });
}

function checkedVsock(text: string, rest: string): Checked<Target> {
  const [cidText, portText] = splitOnce(rest);
  const cid = numberWithin(cidText, MAX_VSOCK);
  const port = numberWithin(portText, MAX_VSOCK);
  if (cid === undefined || port === undefined)
    return refuse('InvalidArgument', `'${text}' is not vsock:CID:PORT`);
  return accept({ via: 'vsock', cid, port });
}

/** The text before and after the first colon. */
function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** A decimal number from 1 to `max`. */
function numberWithin(digits: string, max: number): number | undefined {
  const value = /^\d{1,10}$/.test(digits) ? Number(digits) : 0;
  return value >= 1 && value <= max ? value : undefined;
}

/** As it is written on the command line. */
export const endpointText = ({ address, port }: Endpoint): string =>
  `${isIPv6(address) ? `[${address}]` : address}:${port}`;

export function targetText(target: Target): string {
  switch (target.via) {
    case 'unix':
      return `unix:${target.path}`;
    case 'vsock':
      return `vsock:${target.cid}:${target.port}`;
    case 'tcp':
      return `tcp:${endpointText(target)}`;
  }
}
