import { crc32 } from 'node:zlib';
import type { JournalChange, Json } from '@pp/ports';

/** One line of the journal file: eight hex digits of CRC-32 over the JSON text, a space, the JSON text, a line feed. */
export type JournalRecord =
  | { readonly do: 'begin'; readonly put: Readonly<Record<string, Json>>; readonly del: readonly string[] }
  | { readonly do: 'commit' };

export const COMMIT = encodeLine(JSON.stringify({ do: 'commit' } satisfies JournalRecord));

/** By hand: in an object, each new key would have V8 make a hidden class, which it keeps. */
export function encodeBegin({ put, del }: JournalChange): Uint8Array {
  let entries = '';
  put.forEach((value, key) => {
    entries += `${entries === '' ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  const gone = del.length === 0 ? '[]' : JSON.stringify(del);
  return encodeLine(`{"do":"begin","put":{${entries}},"del":${gone}}`);
}

function encodeLine(text: string): Uint8Array {
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

/** False: somebody else's file. What is torn may still be ours. */
export function beginsAsJournal(file: Uint8Array): boolean {
  const start = new TextDecoder().decode(file.subarray(0, 15));
  return /^[0-9a-f]{0,8}$/.test(start.slice(0, 8)) && ' {"do":"'.startsWith(start.slice(8));
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

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
