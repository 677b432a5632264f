import { hex } from '../testing';
import { Attributes, list } from './attributes';
import { MalformedError } from './malformed';
import {
  aligned,
  all,
  attribute,
  encode,
  nested,
  optional,
  stringAttribute,
  textAttribute,
  u16be,
  u16host,
  u32be,
  u32host,
  u64be,
  u8,
  zeros,
} from './parts';

const encoded = [
  { name: 'a number is four bytes', in: attribute(4, u32host(1400)), want: '0800 0400 78050000' },
  { name: 'a byte is padded', in: attribute(21, u8(80)), want: '0500 1500 50 000000' },
  { name: 'a string has its NUL', in: stringAttribute(3, 'v0'), want: '0700 0300 763000 00' },
  { name: 'a text has none', in: textAttribute(20, 'v0'), want: '0600 1400 7630 0000' },
  { name: 'nothing', in: optional(null, u8), want: '' },
  { name: 'zero is something', in: optional(0, u8), want: '00' },
  {
    name: 'numbers of both orders',
    in: all(u8(1, 2), u16host(0x0102), u16be(0x0102), u32host(1), u32be(0xfffffffd)),
    want: '0102 0201 0102 01000000 fffffffd',
  },
  { name: 'a long number', in: u64be(0x1_0000_0002n), want: '00000001 00000002' },
  {
    name: 'aligned, wherever it begins',
    in: all(u8(9), aligned(u8(1, 2, 3)), aligned(u32be(1)), aligned(all())),
    want: '09 010203 00 00000001',
  },
  {
    name: 'more than the buffer holds at first',
    in: all(zeros(511), u32be(0x01020304), attribute(1, zeros(600))),
    want: `${'00'.repeat(511)} 01020304 5c02 0100 ${'00'.repeat(600)}`,
  },
  {
    name: 'attributes in an attribute',
    in: nested(18, stringAttribute(1, 'veth')),
    want: '1000 1280 0900 0100 7665746800 000000',
  },
];

test.each(encoded)('encode: $name', ({ in: part, want }) => {
  expect(encode(part)).toEqual(hex(want));
});

test('an attribute longer than its length field is refused', () => {
  expect(() => encode(attribute(1, new Uint8Array(0xffff)))).toThrow(RangeError);
});

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
