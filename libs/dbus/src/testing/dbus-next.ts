/**
 * The only door to dbus-next: its marshalling and nothing else. Its index would pull in its connection, with usocket, xml2js and
 * event-stream; these three files and what they need are 48 kB in a bundle.
 */
// @ts-expect-error dbus-next has types for its index only
import unmarshaller from 'dbus-next/lib/dbus-buffer';
// @ts-expect-error dbus-next has types for its index only
import marshaller from 'dbus-next/lib/marshall';
import type { Type } from '../wire/signature';

interface DbusNextReader {
  readStruct(types: readonly Type[]): unknown[];
  readArray(element: Type, length: number): unknown[];
}

const LITTLE_ENDIAN = 'l'.charCodeAt(0);

const Reader = unmarshaller as new (
  buffer: Buffer,
  startPos: number,
  endian: number,
  fds: readonly number[],
) => DbusNextReader;

/** A reader over little-endian bytes that were checked before. An `h` reads as its index. */
export function dbusNextReader(bytes: Buffer, fdCount: number): DbusNextReader {
  const indices = Array.from({ length: fdCount }, (_, index) => index);
  return new Reader(bytes, 0, LITTLE_ENDIAN, indices);
}

/** Little-endian bytes of values in dbus-next's raw form; throws an Error where they do not fit the signature. */
export const dbusNextMarshall = marshaller as (signature: string, values: readonly unknown[]) => Buffer;
