import { hex } from '../testing';
import { MalformedError } from './malformed';
import { decodeDone, decodeError, decodeMessages, encodeMessage } from './message';
import type { NetlinkMessage } from './message';

const GET_LINK = { type: 18, flags: 0x0301, seq: 7, body: Uint8Array.of(0, 1, 2, 3, 4) };
const GET_LINK_BYTES = hex(`
  15000000 1200 0103 07000000 00000000  # length 21, RTM_GETLINK, REQUEST|DUMP, sequence 7, port 0
  0001020304 000000                     # body, padded
`);

test('a message is a header and a padded body', () => {
  expect(encodeMessage(GET_LINK)).toEqual(GET_LINK_BYTES);
});

test('a datagram holds messages, each aligned', () => {
  const two = Uint8Array.of(...GET_LINK_BYTES, ...GET_LINK_BYTES);
  expect(decodeMessages(two)).toEqual([
    { ...GET_LINK, portId: 0 },
    { ...GET_LINK, portId: 0 },
  ]);
});

test('every prefix of a datagram is refused, but at the ends of its messages', () => {
  const two = Uint8Array.of(...GET_LINK_BYTES, ...GET_LINK_BYTES);
  const taken = Array.from({ length: two.length + 1 }, (_, length) => length).filter((length) => {
    try {
      decodeMessages(two.subarray(0, length));
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedError);
      return false;
    }
  });
  // 21 to 24: the padding of the last message may be absent
  expect(taken).toEqual([0, 21, 22, 23, 24, 45, 46, 47, 48]);
});

const malformed = [
  { name: 'a length shorter than the header', in: '0f000000 1200 0103 07000000 00000000' },
  { name: 'a length of zero', in: '00000000 1200 0103 07000000 00000000' },
  { name: 'a length beyond the end', in: '11000000 1200 0103 07000000 00000000' },
  { name: 'a length that is negative as a signed number', in: 'ffffffff 1200 0103 07000000 00000000' },
];

test.each(malformed)('refused: $name', ({ in: text }) => {
  expect(() => decodeMessages(hex(text))).toThrow(MalformedError);
});

const message = (flags: number, body: string): NetlinkMessage => ({
  type: 2,
  flags,
  seq: 1,
  body: hex(body),
});
const ECHO = '20000000 1000 0506 01000000 00000000'; // RTM_NEWLINK of 32 bytes
const TEXT = '0e000100 45786973747320 3a2900 0000'; // NLMSGERR_ATTR_MSG "Exists :)"
const OFFSET = '08000200 14000000'; // NLMSGERR_ATTR_OFFS 20

const verdicts = [
  { name: 'ack', in: message(0x100, `00000000 ${ECHO}`), want: { errno: 0, text: '', offset: null } },
  {
    name: 'refusal, no attributes',
    in: message(0x100, `efffffff ${ECHO}`),
    want: { errno: 17, text: '', offset: null },
  },
  {
    name: 'refusal, capped, with text and offset',
    in: message(0x300, `efffffff ${ECHO} ${TEXT} ${OFFSET}`),
    want: { errno: 17, text: 'Exists :)', offset: 20 },
  },
  {
    name: 'refusal, whole request echoed, with text',
    in: message(0x200, `efffffff ${ECHO} ${'00'.repeat(16)} ${TEXT}`),
    want: { errno: 17, text: 'Exists :)', offset: null },
  },
];

test.each(verdicts)('verdict: $name', ({ in: error, want }) => {
  expect(decodeError(error)).toEqual(want);
});

const badVerdicts = [
  { name: 'shorter than its header', in: message(0x100, `00000000 ${ECHO.slice(0, -2)}`) },
  { name: 'echo longer than the message', in: message(0x200, `efffffff ${ECHO}`) },
  { name: 'text cut off', in: message(0x300, `efffffff ${ECHO} 0e000100 4578`) },
];

test.each(badVerdicts)('refused verdict: $name', ({ in: error }) => {
  expect(() => decodeError(error)).toThrow(MalformedError);
});

const ends = [
  { name: 'empty', in: message(0, ''), want: { errno: 0, text: '', offset: null } },
  { name: 'zero', in: message(0, '00000000'), want: { errno: 0, text: '', offset: null } },
  { name: 'failed in the middle', in: message(0, 'a6ffffff'), want: { errno: 90, text: '', offset: null } },
];

test.each(ends)('end of a dump: $name', ({ in: end, want }) => {
  expect(decodeDone(end)).toEqual(want);
});
