import { DnsType, nameAt, nameKey, type DnsScan, type NameKey } from '@pp/wire';
import type { MessageEdit } from './message-edit';

/** Leaves out the NSEC records of a name. `denied`: only those whose types are without this one; undefined: any. */
export function dropNsec(scan: DnsScan, edit: MessageEdit, name: NameKey, denied?: number): void {
  for (let entry = scan.questions; entry < scan.entries; entry++)
    if (
      scan.type(entry) === DnsType.NSEC &&
      nameKey(nameAt(scan.bytes, scan.name(entry))) === name &&
      (denied === undefined || !nsecHas(scan, entry, denied))
    )
      edit.drop(entry);
}

/** Whether an NSEC's map of types (RFC 4034 §4.1.2) has a type below 256: block 0 comes first, if at all. */
function nsecHas(scan: DnsScan, entry: number, type: number): boolean {
  const end = scan.rdata(entry) + scan.rdataLength(entry);
  let at = scan.rdata(entry);
  for (;;) {
    const byte = scan.bytes[at] ?? 0;
    at += byte === 0 ? 1 : byte >= 0xc0 ? 2 : byte + 1;
    if (byte === 0 || byte >= 0xc0) break;
  }
  const [block, length] = [scan.bytes[at] ?? 1, scan.bytes[at + 1] ?? 0];
  const place = at + 2 + (type >> 3);
  return (
    block === 0 &&
    type >> 3 < length &&
    place < end &&
    ((scan.bytes[place] ?? 0) & (0x80 >> (type & 7))) !== 0
  );
}
