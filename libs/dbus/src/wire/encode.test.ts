import { DBUS_ERROR } from '../errors';
import { decodeFixedHeader, decodeHeader } from './decode-header';
import { KnownCalls } from './usual-fields';
import { encodeMessage, type Outgoing } from './encode';

const CALL: Outgoing = {
  type: 'call',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  destination: 'org.freedesktop.DBus',
};

test('golden bytes of a call with bytes and a descriptor', () => {
  const want = [
    '6c 01 00 01', // little-endian, call, no flags, version 1
    '10000000 02000000 58000000', // body of 16 bytes, serial 2, fields of 88 bytes
    '01 01 6f 00 02000000 2f6100 0000000000', // path "/a"
    '02 01 73 00 03000000 622e6300 00000000', // interface "b.c"
    '03 01 73 00 01000000 4400 000000000000', // member "D"
    '06 01 73 00 03000000 652e6600 00000000', // destination "e.f"
    '08 01 67 00 03 617968 00 00000000 000000', // signature "ayh"
    '09 01 75 00 01000000', // one descriptor
    '05000000 0102030405 000000 00000000', // bytes, padding, descriptor index 0
  ];
  const values = [Uint8Array.of(1, 2, 3, 4, 5), 0];
  const target = { path: '/a', interface: 'b.c', member: 'D', destination: 'e.f' };
  const bytes = encodeMessage({ type: 'call', ...target, signature: 'ayh', values }, 2, 1);
  expect(bytes.toString('hex')).toBe(want.join('').replaceAll(' ', ''));
});

test('what is encoded decodes to the same header', () => {
  const names = { path: '/', interface: 'a.b', member: 'C', destination: ':1.5' };
  const common = { serial: 4294967295, signature: '', noReplyExpected: true, destination: ':1.5' };
  const rows = [
    { ...names, ...common, type: 'call' },
    { ...names, ...common, type: 'signal' },
    { ...common, type: 'return', replySerial: 4294967295 },
    { ...common, type: 'error', replySerial: 1, errorName: 'a.b' },
  ] as const;
  for (const row of rows) {
    const bytes = encodeMessage(row, row.serial);
    const decoded = decodeHeader(bytes, decodeFixedHeader(bytes), new KnownCalls());
    expect(decoded).toEqual({ header: { ...row, sender: undefined }, unixFds: 0 });
  }
});

test.each([
  { name: 'a path that is none', in: { path: 'a' } },
  { name: 'an interface without a dot', in: { interface: 'a' } },
  { name: 'a member with a dot', in: { member: 'a.b' } },
  { name: 'a destination that is no name', in: { destination: 'a' } },
  { name: 'an error name without a dot', in: { errorName: 'a' } },
  { name: 'no path', in: { path: '' } },
  { name: 'the path that is reserved', in: { path: '/org/freedesktop/DBus/Local' } },
  { name: 'the interface that is reserved', in: { interface: 'org.freedesktop.DBus.Local' } },
  { name: 'the reply to serial 0', in: { replySerial: 0 } },
])('$name is not sent', ({ in: wrong }) => {
  expect(() => encodeMessage({ ...CALL, ...wrong }, 1)).toThrow(TypeError);
});

test.each([
  { name: 'a header of 64 KiB and 8 bytes', in: { path: `/${'a'.repeat(65536)}` } },
  { name: 'a body of 2 MiB', in: { signature: 'ay', values: [Buffer.alloc(2 * 1024 * 1024)] } },
  { name: '17 descriptors', in: {}, fdCount: 17 },
])('$name is over a limit', ({ in: wrong, fdCount }) => {
  expect(() => encodeMessage({ ...CALL, ...wrong }, 1, fdCount)).toThrow(
    expect.objectContaining({ name: DBUS_ERROR.limitsExceeded }) as Error,
  );
});
