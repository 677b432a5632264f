import { hex } from '../testing';
import {
  all,
  attribute,
  encode,
  nested,
  optional,
  stringAttribute,
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
  { name: 'nothing', in: optional(null, u8), want: '' },
  { name: 'zero is something', in: optional(0, u8), want: '00' },
  {
    name: 'numbers of both orders',
    in: all(u8(1, 2), u16host(0x0102), u16be(0x0102), u32host(1), u32be(0xfffffffd)),
    want: '0102 0201 0102 01000000 fffffffd',
  },
  { name: 'a long number', in: u64be(0x1_0000_0002n), want: '00000001 00000002' },
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

test('what is encoded inside of a part is no part of it', () => {
  const inner = (): Uint8Array => encode(u32be(7));
  const outer = encode(u8(1), (out) => {
    out.bytes(inner());
    out.u8(2);
  });
  expect([outer, encode(u8(3))]).toEqual([hex('01 00000007 02'), hex('03')]);
});

test('of what was refused nothing is left for the next', () => {
  const refused = (): Uint8Array =>
    encode(u32be(1), () => {
      throw new RangeError('no number');
    });
  expect(refused).toThrow('no number');
  expect(encode(u8(3))).toEqual(hex('03'));
});
