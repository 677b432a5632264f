import { hex } from '../testing';
import { Attributes, list } from './attributes';
import { MalformedError } from './malformed';
import { attribute, encode, u32be } from './parts';

const ALL = hex(`
  0800 0400 78050000                    # 4: 1400
  0600 0500 0350 0000                   # 5: two bytes
  0500 1500 50 000000                   # 21: 80
  0800 0780 ffffffff                    # 7, nested flag: -1, or 4294967295
  0c00 0140 0000000100000002            # 1, network order flag: 2^32 + 2
  0700 0300 763000 00                   # 3: "v0"
  0600 1400 7631 0000                   # 20: "v1" without NUL
  0c00 1280 0500 0100 09 000000         # 18: holds 1: 9
`);

test('decode: each getter by its type', () => {
  const all = new Attributes(ALL);
  expect([all.u32host(4), all.u16host(5), all.u8(21), all.s32host(7), all.u32host(7)]).toEqual([
    1400, 0x5003, 80, -1, 0xffffffff,
  ]);
  expect([all.u64be(1), all.string(3), all.string(20), all.nested(18)?.u8(1)]).toEqual([
    0x100000002n,
    'v0',
    'v1',
    9,
  ]);
  expect([all.has(4), all.has(99), all.u32host(99), all.bytes(99), all.nested(99), all.string(99)]).toEqual([
    true,
    false,
    null,
    null,
    null,
    null,
  ]);
});

test('decode: of two of one type the last counts, a list has both', () => {
  const twice = encode(attribute(1, u32be(1)), attribute(1, u32be(2)));
  expect(new Attributes(twice).u32be(1)).toBe(2);
  expect(list(twice)).toEqual([hex('00000001'), hex('00000002')]);
});

test('decode: a wrong length is refused', () => {
  const all = new Attributes(ALL);
  for (const read of [() => all.u32host(21), () => all.u8(4), () => all.u64be(4), () => all.u16host(1)]) {
    expect(read).toThrow(MalformedError);
  }
});

test('decode: every prefix is refused, but at the ends of attributes', () => {
  const refused = Array.from({ length: ALL.length }, (_, length) => length).filter((length) => {
    try {
      return [new Attributes(ALL.subarray(0, length))].length === 0;
    } catch (error) {
      return error instanceof MalformedError;
    }
  });
  // Ends, and the bytes of padding after them, which the last attribute may lack.
  const ends = [0, 8, 14, 15, 16, 21, 22, 23, 24, 32, 44, 51, 52, 58, 59, 60];
  expect(refused).toEqual(
    Array.from({ length: ALL.length }, (_, length) => length).filter((length) => !ends.includes(length)),
  );
});

const malformed = [
  { name: 'a length below the header', in: '0300 0400' },
  { name: 'a length of zero', in: '0000 0400 00000000' },
  { name: 'a length beyond the end', in: '0900 0400 00000000' },
  { name: 'slack after the last', in: '0800 0400 00000000 00' },
];

test.each(malformed)('refused: $name', ({ in: text }) => {
  expect(() => new Attributes(hex(text))).toThrow(MalformedError);
});
