import { DnsType, ipv4FromBytes, parseIpv4, ipv4ToBytes, type DnsScan } from '@pp/wire';
import type { MessageEdit } from './message-edit';

/** Puts another address into the named keys of TXT records (RFC 6763 §6.3), where the value is just an IPv4 address. */
export function rewriteTxt(
  scan: DnsScan,
  edit: MessageEdit,
  keys: readonly string[],
  swap: (address: Uint8Array) => Uint8Array | null,
): void {
  if (keys.length === 0) return;
  for (let entry = scan.questions; entry < scan.entries; entry++) {
    if (scan.type(entry) !== DnsType.TXT || edit.isDropped(entry)) continue;
    const at = scan.rdata(entry);
    const data = rewritten(scan.bytes.subarray(at, at + scan.rdataLength(entry)), keys, swap);
    if (data !== null) edit.replaceData(entry, data);
  }
}

/** null: nothing changes. Data that is no list of strings is left alone. */
function rewritten(
  data: Uint8Array,
  keys: readonly string[],
  swap: (address: Uint8Array) => Uint8Array | null,
): Uint8Array | null {
  const out: number[] = []; // BOUNDED: by the record
  let isChanged = false;
  for (let at = 0; at < data.length;) {
    const length = data[at] ?? 0;
    if (at + 1 + length > data.length) return null;
    const text = String.fromCharCode(...data.subarray(at + 1, at + 1 + length));
    const other = rewrittenString(text, keys, swap);
    isChanged ||= other !== text;
    out.push(other.length, ...Array.from({ length: other.length }, (_, i) => other.charCodeAt(i)));
    at += length + 1;
  }
  return isChanged ? Uint8Array.from(out) : null;
}

function rewrittenString(
  text: string,
  keys: readonly string[],
  swap: (address: Uint8Array) => Uint8Array | null,
): string {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(0, at));
  const address = parseIpv4(text.slice(at + 1));
  if (address === null || !keys.some((each) => each.toLowerCase() === key.toLowerCase())) return text;
  const other = swap(ipv4ToBytes(address));
  return other === null ? text : `${key}=${ipv4FromBytes(other)}`;
}
