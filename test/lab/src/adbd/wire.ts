/** A message of the ADB protocol (AOSP, system/core adb/protocol.txt): six words, little endian, and data. */
export interface AdbMessage {
  readonly command: AdbCommand;
  readonly arg0: number;
  readonly arg1: number;
  readonly data: Buffer;
}

const COMMANDS = ['CNXN', 'AUTH', 'OPEN', 'OKAY', 'CLSE', 'WRTE'] as const;
export type AdbCommand = (typeof COMMANDS)[number];

export const HEADER_BYTES = 24;
/** The most data in one message, on both sides. */
export const MAX_DATA = 1 << 20;
/** From this version on the checksum is not looked at. */
export const VERSION = 0x01000001;

const wordOf = (command: AdbCommand): number => Buffer.from(command, 'latin1').readUInt32LE();

export function encodeMessage({ command, arg0, arg1, data }: AdbMessage): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const word = wordOf(command);
  const words = [word, arg0, arg1, data.length, checksum(command, data), (word ^ 0xffffffff) >>> 0];
  words.forEach((value, place) => header.writeUInt32LE(value, place * 4));
  return Buffer.concat([header, data]);
}

/** The first message in `bytes`, and how many of them it takes; null: not all of it is there. Throws on what is no message. */
export function decodeMessage(
  bytes: Buffer,
): { readonly message: AdbMessage; readonly length: number } | null {
  if (bytes.length < HEADER_BYTES) return null;
  const word = (place: number): number => bytes.readUInt32LE(place * 4);
  const command = COMMANDS.find((each) => wordOf(each) === word(0));
  const [size, magic] = [word(3), word(5)];
  if (command === undefined || magic !== (word(0) ^ 0xffffffff) >>> 0)
    throw new Error(`no ADB message: ${bytes.subarray(0, HEADER_BYTES).toString('hex')}`);
  if (size > MAX_DATA) throw new Error(`${command} with ${size} bytes`);
  if (bytes.length < HEADER_BYTES + size) return null;
  const data = bytes.subarray(HEADER_BYTES, HEADER_BYTES + size);
  return { message: { command, arg0: word(1), arg1: word(2), data }, length: HEADER_BYTES + size };
}

/** The first message is looked at by peers that do not know our version yet. */
const checksum = (command: AdbCommand, data: Buffer): number =>
  command === 'CNXN' ? data.reduce((sum, byte) => (sum + byte) >>> 0, 0) : 0;
