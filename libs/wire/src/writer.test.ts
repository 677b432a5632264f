import { toHex } from './testing/hex';
import { Writer } from './writer';

test('writes in network order, and grows', () => {
  const w = new Writer(1).u8(1).u16be(0x0203).u32be(0xf4050607).bytes(Uint8Array.of(8, 9)).zeros(2);
  expect(w.length).toBe(11);
  expect(toHex(w.finish())).toBe('010203f405060708090000');
});

test.each([
  { name: 'u8 256', write: (w: Writer) => w.u8(256) },
  { name: 'u16 65536', write: (w: Writer) => w.u16be(65536) },
  { name: 'u32 2^32', write: (w: Writer) => w.u32be(2 ** 32) },
  { name: 'a negative number', write: (w: Writer) => w.u32be(-1) },
  { name: 'a fraction', write: (w: Writer) => w.u8(0.5) },
])('$name is never cut to fit', ({ write }) => {
  expect(() => write(new Writer())).toThrow(RangeError);
});
