import { crc32 } from 'node:zlib';
import type { JournalChange, Json } from '@pp/ports';

/** One line of the journal file: eight hex digits of CRC-32 over the JSON text, a space, the JSON text, a line feed. */
export type JournalRecord =
  | { readonly do: 'begin'; readonly put: Readonly<Record<string, Json>>; readonly del: readonly string[] }
  | { readonly do: 'commit' };

export const beginRecord = (change: JournalChange): JournalRecord => ({
  do: 'begin',
  put: Object.fromEntries(change.put),
  del: change.del,
});

export function encodeRecord(record: JournalRecord): Uint8Array {
  const text = JSON.stringify(record);
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

/** The records up to the first line that is torn or damaged, and how many bytes they take. */
export function decodeRecords(file: Uint8Array): {
  readonly records: readonly JournalRecord[];
  readonly bytes: number;
} {
  const records: JournalRecord[] = [];
  let bytes = 0;
  for (;;) {
    const end = file.indexOf(0x0a, bytes);
    if (end < 0) break;
    const record = decodeLine(new TextDecoder().decode(file.subarray(bytes, end)));
    if (record === null) break;
    records.push(record);
    bytes = end + 1;
  }
  return { records, bytes };
}

function decodeLine(line: string): JournalRecord | null {
  const text = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(text)) return null;
  return JSON.parse(text) as JournalRecord; // what carries our checksum was written by us
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
