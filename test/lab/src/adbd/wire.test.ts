import { ByteQueue } from './byte-queue';
import { decodeMessage, encodeMessage } from './wire';

/** OPEN 1, 0, "shell:ls\0", as adb 29 sends it. */
const OPEN = Buffer.from(
  '4f50454e' + '01000000' + '00000000' + '09000000' + '00000000' + 'b0afbab1' + '7368656c6c3a6c7300',
  'hex',
);

test('an OPEN both ways', () => {
  const message = { command: 'OPEN', arg0: 1, arg1: 0, data: Buffer.from('shell:ls\0') } as const;
  expect(encodeMessage(message)).toEqual(OPEN);
  expect(decodeMessage(OPEN)).toEqual({ message, length: OPEN.length });
});

test('a CNXN carries its checksum: older peers look at it', () => {
  const bytes = encodeMessage({ command: 'CNXN', arg0: 1, arg1: 2, data: Buffer.of(250, 6, 1) });
  expect(bytes.readUInt32LE(16)).toBe(257);
});

test('a part of a message is none', () => {
  for (let length = 0; length < OPEN.length; length++)
    expect(decodeMessage(OPEN.subarray(0, length))).toBeNull();
});

test.each([
  { name: 'an unknown command', at: 0 },
  { name: 'a wrong magic', at: 20 },
  { name: 'more than 1 MiB', at: 14 },
])('$name', ({ at }) => {
  const bytes = Buffer.from(OPEN);
  bytes[at] = 0x7f;
  expect(() => decodeMessage(bytes)).toThrow();
});

test('bytes are taken as they were pushed, in other pieces', () => {
  const queue = new ByteQueue();
  for (const piece of ['a', 'bcd', '', 'efgh']) queue.push(Buffer.from(piece));
  expect(queue.take(9)).toBeNull();
  const taken = [2, 0, 1, 4, 1].map((length) => queue.take(length)?.toString());
  expect([taken, queue.length]).toEqual([['ab', '', 'c', 'defg', 'h'], 0]);
});
