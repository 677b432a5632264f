import { causeChain } from '@pp/base';
import { ProtocolError } from '../errors';
import { CAPTURED_MESSAGES } from '../testing/golden-captured';
import { GLIB_MESSAGES } from '../testing/golden-glib';
import { decodeFixedHeader, decodeHeader } from './decode-header';
import { KnownCalls } from './usual-fields';

function decode(message: Buffer): ReturnType<typeof decodeHeader> {
  const fixed = decodeFixedHeader(message);
  return decodeHeader(Buffer.from(message.subarray(0, fixed.headerBytes)), fixed, new KnownCalls());
}

test.each([...GLIB_MESSAGES, ...CAPTURED_MESSAGES])('$name', ({ hex, header, unixFds }) => {
  expect(decode(Buffer.from(hex, 'hex'))).toEqual({ header, unixFds });
});

describe('the fixed part', () => {
  const fixed = (text: string): (() => unknown) => {
    const bytes = Buffer.from(text.replaceAll(' ', ''), 'hex');
    return () => decodeFixedHeader(bytes);
  };

  test.each([
    { name: 'byte order 0', in: '00 01 00 01 00000000 01000000 00000000', want: 'byte order' },
    { name: 'version 2', in: '6c 01 00 02 00000000 01000000 00000000', want: 'version 2' },
    { name: 'type 0', in: '6c 00 00 01 00000000 01000000 00000000', want: 'type 0' },
    { name: 'serial 0', in: '6c 01 00 01 00000000 00000000 00000000', want: 'serial 0' },
    { name: 'fields of 64 MiB and a byte', in: '6c 01 00 01 00000000 01000000 01000004', want: '64 MiB' },
    { name: 'the same, big-endian', in: '42 01 00 01 00000000 00000001 04000001', want: '64 MiB' },
    {
      name: 'a body that makes 128 MiB and 8 bytes',
      in: '6c 01 00 01 f8ffff07 01000000 00000000',
      want: '128 MiB',
    },
    { name: 'a body of 2^32 - 1', in: '6c 01 00 01 ffffffff 01000000 00000000', want: '128 MiB' },
  ])('$name', ({ in: text, want }) => {
    expect(fixed(text)).toThrow(ProtocolError);
    expect(fixed(text)).toThrow(want);
  });

  test('128 MiB is allowed', () => {
    expect(fixed('6c 01 00 01 f0ffff07 01000000 00000000')()).toMatchObject({
      bodyBytes: 128 * 1024 * 1024 - 16,
    });
  });
});

describe('the fields', () => {
  const PATH = '01016f00 01000000 2f00';
  const MEMBER = '03017300 01000000 4100';
  const INTERFACE = '02017300 03000000 612e6200';
  const hexOf = (text: string): string => Buffer.from(text).toString('hex');
  const REPLY_SERIAL = '05017500 01000000';
  const ERROR_NAME = '04017300 03000000 612e6200';
  const TYPE = { call: 1, return: 2, error: 3, signal: 4, future: 9 };

  /** A little-endian header of these fields, each padded to 8 bytes but the last, and the padding before the body. */
  function header(type: keyof typeof TYPE, fields: readonly string[], bodyBytes = 0): Buffer {
    const pieces = fields.map((text) => Buffer.from(text.replaceAll(' ', ''), 'hex'));
    const padded = pieces.flatMap((piece) => [piece, Buffer.alloc(-piece.length & 7)]);
    const fixed = Buffer.from('6c000001 00000000 01000000 00000000'.replaceAll(' ', ''), 'hex');
    fixed[1] = TYPE[type];
    fixed.writeUInt32LE(bodyBytes, 4);
    fixed.writeUInt32LE(Buffer.concat(padded.slice(0, -1)).length, 12);
    return Buffer.concat([fixed, ...padded]);
  }

  test.each([
    { type: 'call', fields: [PATH, MEMBER] },
    { type: 'return', fields: [REPLY_SERIAL] },
    { type: 'error', fields: [REPLY_SERIAL, ERROR_NAME] },
    { type: 'signal', fields: [PATH, MEMBER, INTERFACE] },
  ] as const)('a $type with what it needs', ({ type, fields }) => {
    expect(decode(header(type, fields)).header?.type).toBe(type);
  });

  test.each([
    { name: 'a call without a path', type: 'call', fields: [MEMBER], want: 'path is missing' },
    { name: 'a call without a member', type: 'call', fields: [PATH], want: 'member is missing' },
    { name: 'a return without a reply serial', type: 'return', fields: [], want: 'replySerial is missing' },
    { name: 'an error without a name', type: 'error', fields: [REPLY_SERIAL], want: 'errorName is missing' },
    {
      name: 'an error without a reply serial',
      type: 'error',
      fields: [ERROR_NAME],
      want: 'replySerial is missing',
    },
    { name: 'a signal without a path', type: 'signal', fields: [INTERFACE, MEMBER], want: 'path is missing' },
    {
      name: 'a signal without an interface',
      type: 'signal',
      fields: [PATH, MEMBER],
      want: 'interface is missing',
    },
    {
      name: 'a signal without a member',
      type: 'signal',
      fields: [PATH, INTERFACE],
      want: 'member is missing',
    },
    { name: 'a field twice', type: 'call', fields: [PATH, PATH, MEMBER], want: 'two fields path' },
    { name: 'field 0', type: 'call', fields: [PATH, MEMBER, '00017900 01'], want: 'field 0' },
    {
      name: 'a path that is a string',
      type: 'call',
      fields: ['01017300 01000000 2f00', MEMBER],
      want: 'field path',
    },
    {
      name: 'a path that is none',
      type: 'call',
      fields: ['01016f00 01000000 6100', MEMBER],
      want: 'object path',
    },
    {
      name: 'the path that is reserved',
      type: 'call',
      fields: [`01016f00 1b000000 ${hexOf('/org/freedesktop/DBus/Local')} 00`, MEMBER],
      want: 'field path',
    },
    {
      name: 'the interface that is reserved',
      type: 'call',
      fields: [PATH, MEMBER, `02017300 1a000000 ${hexOf('org.freedesktop.DBus.Local')} 00`],
      want: 'field interface',
    },
    { name: 'the reply to serial 0', type: 'return', fields: ['05017500 00000000'], want: 'replySerial' },
    {
      name: 'an unknown field that is not UTF-8',
      type: 'call',
      fields: [PATH, MEMBER, '0a017300 01000000 ff00'],
      want: 'not UTF-8',
    },
    {
      name: 'an unknown field of two types',
      type: 'call',
      fields: [PATH, MEMBER, '0a02797900 0101'],
      want: 'exactly one type',
    },
    {
      name: 'an unknown field with a descriptor',
      type: 'call',
      fields: [PATH, MEMBER, '0a016800 00000000'],
      want: 'no file descriptor',
    },
    {
      name: 'an unknown field 65 deep, with the array, struct and variant of the header',
      type: 'call',
      fields: [PATH, MEMBER, `0a${'017600'.repeat(62)}017900 01`],
      want: 'deeper than 64',
    },
    {
      name: 'a member with a dot',
      type: 'call',
      fields: [PATH, '03017300 01000000 2e00'],
      want: 'field member',
    },
    {
      name: 'an interface without a dot',
      type: 'call',
      fields: [PATH, MEMBER, '02017300 01000000 6100'],
      want: 'interface',
    },
    {
      name: 'an error name without a dot',
      type: 'error',
      fields: [REPLY_SERIAL, '04017300 01000000 6100'],
      want: 'errorName',
    },
    {
      name: 'a destination that is no name',
      type: 'call',
      fields: [PATH, MEMBER, '06017300 01000000 6100'],
      want: 'destination',
    },
    {
      name: 'a sender that is no name',
      type: 'call',
      fields: [PATH, MEMBER, '07017300 01000000 6100'],
      want: 'sender',
    },
    {
      name: 'a reply serial that is a string',
      type: 'return',
      fields: ['05017300 00000000 00'],
      want: 'replySerial',
    },
    {
      name: 'a signature that is none',
      type: 'call',
      fields: [PATH, MEMBER, '08016700 017a00'],
      want: 'signature',
    },
    {
      name: 'a signature that is a string',
      type: 'call',
      fields: [PATH, MEMBER, '08017300 00000000 00'],
      want: 'signature',
    },
    {
      name: 'a count of descriptors that is no u',
      type: 'call',
      fields: [PATH, MEMBER, '09016900 01000000'],
      want: 'unixFds',
    },
    { name: 'a string without its NUL', type: 'call', fields: [PATH, '03017300 01000000 4141'], want: 'NUL' },
    {
      name: 'a string beyond the fields',
      type: 'call',
      fields: [PATH, '03017300 ff000000 4100'],
      want: 'past the end',
    },
    { name: 'a field cut short', type: 'call', fields: [PATH, MEMBER, '0901'], want: 'past the end' },
    {
      name: 'field padding that is not zero',
      type: 'call',
      fields: ['01016f00 01000000 2f00 000000000001', MEMBER],
      want: 'padding',
    },
  ] as const)('$name', ({ type, fields, want }) => {
    expect(faultOf(header(type, fields))).toContain(want);
  });

  test('a body without a signature', () => {
    expect(faultOf(header('call', [PATH, MEMBER], 4))).toContain('without a signature');
  });

  test('padding after the fields that is not zero', () => {
    const bytes = header('call', [PATH, '03017300 01000000 4100']);
    bytes[bytes.length - 1] = 1;
    expect(faultOf(bytes)).toContain('padding');
  });

  test('fields of the future are ignored, whatever their type', () => {
    const decoded = decode(header('call', [PATH, '0a017600 017300 00 01000000 6100', MEMBER]));
    expect(decoded.header).toMatchObject({ path: '/', member: 'A' });
  });

  test('an unknown field may be 64 deep, with the array, struct and variant of the header', () => {
    const deep = `0a${'017600'.repeat(61)}017900 01`;
    expect(decode(header('call', [PATH, deep, MEMBER])).header).toMatchObject({ member: 'A' });
  });

  test('a message type of the future has no header here, but its descriptors count', () => {
    expect(decode(header('future', ['09017500 02000000']))).toEqual({ header: undefined, unixFds: 2 });
  });

  function faultOf(bytes: Buffer): string {
    try {
      decode(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return causeChain(error);
      throw error;
    }
    return 'nothing was thrown';
  }
});
