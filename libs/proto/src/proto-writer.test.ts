import { Writer } from 'protobufjs';
import { ProtoWriter } from './proto-writer';

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function written(write: (writer: ProtoWriter) => void): string {
  const writer = new ProtoWriter();
  write(writer);
  return toHex(writer.bytes);
}

const LENGTHS = [0, 1, 126, 127, 128, 129, 1000, 16_383, 16_384, 100_000];

test.each([0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1])(
  'the number %d, of 32 bits and of 64',
  (value) => {
    const want = toHex(Writer.create().uint32(value).finish());
    expect(
      written((writer) => {
        writer.varint(value);
      }),
    ).toBe(want);
    expect(
      written((writer) => {
        writer.varint64(BigInt(value));
      }),
    ).toBe(want);
  },
);

test.each([
  { in: 2n ** 32n, want: '8080808010' },
  { in: 2n ** 35n - 1n, want: 'ffffffff7f' },
  { in: 2n ** 53n + 1n, want: '8180808080808010' },
  { in: 2n ** 56n, want: '808080808080808001' },
  { in: 2n ** 64n - 1n, want: 'ffffffffffffffffff01' },
])('the number $in', ({ in: value, want }) => {
  expect(
    written((writer) => {
      writer.varint64(value);
    }),
  ).toBe(want);
});

test.each(LENGTHS)('%d bytes, and as many characters of one byte', (length) => {
  const want = toHex(Writer.create().bytes(new Uint8Array(length).fill(0x61)).finish());
  expect(
    written((writer) => {
      writer.lengthAndBytes(new Uint8Array(length).fill(0x61));
    }),
  ).toBe(want);
  expect(
    written((writer) => {
      writer.text('a'.repeat(length));
    }),
  ).toBe(want);
});

test.each(['é', 'aé', '€uro', 'a'.repeat(200) + '😀', '\u007f\u0080'])('the text %j', (text) => {
  expect(
    written((writer) => {
      writer.text(text);
    }),
  ).toBe(toHex(Writer.create().string(text).finish()));
});

test.each(LENGTHS)('%d bytes in a length in a length, between two numbers', (length) => {
  const bytes = new Uint8Array(length).fill(0x62);
  const inner = Writer.create().uint32(7).fork().uint32(8).fork().bytes(bytes).ldelim().uint32(9).ldelim();
  const ours = written((writer) => {
    writer.varint(7);
    const outside = writer.beginLength();
    writer.varint(8);
    const inside = writer.beginLength();
    writer.lengthAndBytes(bytes);
    writer.endLength(inside);
    writer.varint(9);
    writer.endLength(outside);
    writer.varint(10);
  });
  expect(ours).toBe(toHex(inner.uint32(10).finish()));
});
