import { SaslHandshake } from './sasl';

const AGREED = 'OK 12ab\r\nAGREE_UNIX_FD\r\n';

function subject(guid?: string): { handshake: SaslHandshake; sent: () => string } {
  const chunks: Uint8Array[] = [];
  const handshake = new SaslHandshake({ uid: 1000, guid, send: (bytes) => chunks.push(bytes) });
  handshake.begin();
  return { handshake, sent: () => Buffer.concat(chunks).toString('latin1') };
}

test('the lines of both sides', () => {
  const { handshake, sent } = subject('12ab');
  expect(sent()).toBe('\0AUTH EXTERNAL 31303030\r\n');
  expect(handshake.receive(Buffer.from('OK 12ab\r\n'))).toBeUndefined();
  expect(sent()).toBe('\0AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\n');
  expect(handshake.receive(Buffer.from('AGREE_UNIX_FD\r\n'))).toEqual(Buffer.alloc(0));
  expect(sent()).toBe('\0AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n');
});

test('lines may be cut anywhere, and bytes after the last are handed on', () => {
  const { handshake } = subject();
  const rest = Array.from(AGREED, (char) => handshake.receive(Buffer.from(char))).at(-1);
  expect(rest).toEqual(Buffer.alloc(0));
  expect(subject().handshake.receive(Buffer.from(`${AGREED}l\xff`, 'latin1'))).toEqual(
    Buffer.from([0x6c, 0xff]),
  );
});

test.each([
  { name: 'the uid', in: 'REJECTED EXTERNAL DBUS_COOKIE_SHA1\r\n', want: 'it refuses uid 1000' },
  { name: 'everything', in: 'ERROR "no"\r\n', want: 'it answered \'ERROR "no"\' to AUTH' },
  { name: 'descriptors', in: 'OK 12ab\r\nERROR\r\n', want: 'it does not pass file descriptors' },
  { name: 'to end its line', in: 'a'.repeat(16385), want: 'endless line' },
])('a server that refuses $name', ({ in: text, want }) => {
  expect(() => subject().handshake.receive(Buffer.from(text))).toThrow(want);
});

test('a server with another guid', () => {
  expect(() => subject('34cd').handshake.receive(Buffer.from(AGREED))).toThrow('its guid is 12ab, not 34cd');
});
