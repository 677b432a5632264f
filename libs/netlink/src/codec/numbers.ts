/** Numbers of netlink: in the machine's byte order (`host`), or in the network's (`be`). This is the one place that knows the machine's. */

const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** For who reads many numbers: a view costs more than a read. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const getU16host = (view: DataView, at: number): number => view.getUint16(at, HOST_IS_LITTLE);

export const getU32host = (view: DataView, at: number): number => view.getUint32(at, HOST_IS_LITTLE);

export const getS32host = (view: DataView, at: number): number => view.getInt32(at, HOST_IS_LITTLE);

export const setU16host = (view: DataView, at: number, value: number): void => {
  view.setUint16(at, value, HOST_IS_LITTLE);
};
export const setU32host = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, value, HOST_IS_LITTLE);
};

/** Readers throw RangeError beyond the end: the caller has checked the length. */
export function readU8(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError(`no byte ${at} of ${bytes.length}`);
  return byte;
}
export function readU16host(bytes: Uint8Array, at: number): number {
  const first = readU8(bytes, at);
  const second = readU8(bytes, at + 1);
  return HOST_IS_LITTLE ? first | (second << 8) : (first << 8) | second;
}
export function readS32host(bytes: Uint8Array, at: number): number {
  const first = readU16host(bytes, at);
  const second = readU16host(bytes, at + 2);
  return HOST_IS_LITTLE ? first | (second << 16) : (first << 16) | second;
}
export const readU32host = (bytes: Uint8Array, at: number): number => readS32host(bytes, at) >>> 0;

const decoder = new TextDecoder();
const ASCII_END = 0x80;

/** UTF-8. Names are short and ASCII, for which a decoder takes longer than a loop. */
export function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = readU8(bytes, at);
    if (byte >= ASCII_END) return decoder.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Netlink aligns messages and attributes to four bytes (NLMSG_ALIGNTO, NLA_ALIGNTO). */
export const align4 = (length: number): number => (length + 3) & ~3;
