import { printable } from '@pp/daemon';
import {
  DnsFlag,
  DnsScan,
  DnsType,
  decodeSsdp,
  headerOf,
  nameAt,
  nameText,
  type SsdpMessage,
} from '@pp/wire';
import { DROP_REASONS, type DropReason } from './core/drop-reason';
import type { ExitOutcome } from './core/action';
import type { Traced } from './mcast-service';

/** A packet and what became of it, as one line. */
export function traceLine({ group, ifname, datagram, isReply, step }: Traced): string {
  const { address, port, data } = datagram;
  const from = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const what = group.kind === 'mdns' ? dnsText(data) : group.kind === 'ssdp' ? ssdpText(data) : 'packet';
  const head = `${group.name} ${isReply ? 'answer' : 'in'} ${ifname} ${from} ${what}, ${data.length} B`;
  return printable(`${head}: ${outcomeText(step.dropped, step.exits)}`);
}

function outcomeText(dropped: DropReason | null, exits: readonly ExitOutcome[]): string {
  const others = exits.map(({ ifname, outcome }) => `${ifname} ${outcome}`).join(', ');
  if (dropped === null) return others;
  return `dropped, ${dropped} (${DROP_REASONS[dropped]})${others === '' ? '' : `: ${others}`}`;
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DnsType).map(([name, type]) => [type, name]),
);
/** More is a flood of words. */
const MAX_NAMED = 4;

function dnsText(data: Uint8Array): string {
  const scan = new DnsScan();
  const fault = scan.read(data);
  if (fault !== null) return 'malformed message';
  const isResponse = (scan.flags & DnsFlag.response) !== 0;
  const entries = Array.from({ length: Math.min(scan.entries, MAX_NAMED) }, (_, entry) => {
    const type = scan.type(entry);
    return `${nameText(nameAt(data, scan.name(entry)))} ${TYPE_NAMES.get(type) ?? `TYPE${type}`}`;
  });
  const more = scan.entries > MAX_NAMED ? ` and ${scan.entries - MAX_NAMED} more` : '';
  const kind = isResponse ? 'response' : scan.countOf('authority') > 0 ? 'probe' : 'query';
  return `${kind} ${entries.join(', ')}${more}`;
}

function ssdpText(data: Uint8Array): string {
  const decoded = decodeSsdp(data);
  if (!decoded.ok) return 'malformed message';
  const { kind } = decoded.value;
  const subject = headerOf(decoded.value, kind === 'notify' ? 'nt' : 'st') ?? '';
  const location = headerOf(decoded.value, 'location');
  return `${KINDS[kind]} ${subject}${location === undefined ? '' : ` at ${location}`}`;
}

const KINDS: Readonly<Record<SsdpMessage['kind'], string>> = {
  notify: 'announcement',
  search: 'search',
  response: 'response',
};
