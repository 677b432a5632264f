import {
  authorityOf,
  decodeSsdp,
  isRoutable,
  LOCATION_HEADERS,
  withTexts,
  type SsdpHeader,
  type SsdpMessage,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import type { Policy } from './policy';
import { addressBytes, type Exit } from './topology';
import type { Translation } from './translation';

export type SsdpRead =
  { readonly ok: true; readonly message: SsdpMessage } | { readonly ok: false; readonly reason: DropReason };

/** A packet to the group (`isReply` false), or an answer to a searcher. */
export function readSsdp(data: Uint8Array, isReply: boolean): SsdpRead {
  const decoded = decodeSsdp(data);
  if (!decoded.ok) return { ok: false, reason: decoded.fault };
  if (isReply !== (decoded.value.kind === 'response'))
    return { ok: false, reason: isReply ? 'reply-stray' : 'ssdp-stray' };
  return { ok: true, message: decoded.value };
}

/** A place in the packet, and what stands there instead. */
interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The bytes for an exit, or why nothing goes there: a device that cannot be reached from there is not announced. LOCATION decides; another
 * URL that leads nowhere from there is left out with its line, unless it is all that there is.
 */
export function ssdpPayload(
  data: Uint8Array,
  { headers }: SsdpMessage,
  exit: Exit,
  policy: Policy,
  translation: Translation,
): Uint8Array | DropReason {
  if (policy.locations === 'keep') return data;
  const edits: TextEdit[] = []; // BOUNDED: by the lines
  let [hasLocation, lost]: [boolean, DropReason | null] = [false, null];
  for (const header of headers) {
    if (!LOCATION_HEADERS.some((name) => name === header.name)) continue;
    const edit = locationEdit(header, exit, policy, translation);
    hasLocation ||= header.name === 'location';
    if (typeof edit !== 'string') edits.push(...edit);
    else if (header.name === 'location') return edit;
    else {
      lost ??= edit;
      edits.push({ ...header.line, text: '' });
    }
  }
  if (lost !== null && !hasLocation) return lost;
  return edits.length === 0 ? data : withTexts(data, edits);
}

/** What of a URL is replaced; or why it leads nowhere. */
function locationEdit(
  header: SsdpHeader,
  exit: Exit,
  policy: Policy,
  translation: Translation,
): readonly TextEdit[] | DropReason {
  const at = urlIn(header);
  if (at < 0) return [];
  const authority = authorityOf(header.value.slice(at));
  if (authority === null) return 'location-unreachable';
  const { address, port } = authority;
  if (address === null) return [];
  if (!isRoutable(address)) return 'location-unreachable';
  const bytes = addressBytes(address);
  if (exit.way !== 'to-lan' || !translation.isInside(bytes)) return [];
  const forward = translation.forwardTo(exit.segment.ifname, 'tcp', address, port);
  const outside = exit.segment.own[bytes.length === 4 ? 'ipv4' : 'ipv6'];
  if (forward === undefined || outside === null || policy.locations !== 'rewrite')
    return 'location-unforwarded';
  const text = `${hostText(outside)}:${forward.hostPort}`;
  const start = header.start + at;
  return [{ start: start + authority.start, end: start + authority.end, text }];
}

/** Where the URL begins; AL is a list in which others than of HTTP may stand before it, or alone (-1): draft-cai-ssdp-v1. */
const urlIn = ({ name, value }: SsdpHeader): number => (name === 'al' ? value.search(/<?https?:/i) : 0);

function hostText(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0)).toString(16),
  );
  return `[${groups.join(':')}]`;
}
