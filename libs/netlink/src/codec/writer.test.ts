import { hex } from '../testing';
import { Writer } from './writer';

const rows: readonly { name: string; in: (out: Writer) => void; want: string }[] = [
  {
    name: 'a number of the machine',
    in: (out) => {
      out.u32hostAttribute(4, 1400);
    },
    want: '0800 0400 78050000',
  },
  {
    name: 'a number of the network',
    in: (out) => {
      out.u32beAttribute(1, 0xfffffffd);
    },
    want: '0800 0100 fffffffd',
  },
  {
    name: 'a text has no NUL',
    in: (out) => {
      out.textAttribute(20, 'v0');
    },
    want: '0600 1400 7630 0000',
  },
  {
    name: 'a string has its NUL',
    in: (out) => {
      out.stringAttribute(3, 'v0');
    },
    want: '0700 0300 763000 00',
  },
  {
    name: 'a text beyond ASCII',
    in: (out) => {
      out.textAttribute(20, 'aé');
    },
    want: '0700 1400 61c3a9 00',
  },
  {
    name: 'bytes are padded',
    in: (out) => {
      out.bytesAttribute(1, Uint8Array.of(1, 2, 3, 4, 5, 6));
    },
    want: '0a00 0100 010203040506 0000',
  },
  {
    name: 'attributes in an attribute',
    in: (out) => {
      const outer = out.openNested(18);
      out.stringAttribute(1, 'veth');
      const inner = out.open(2);
      out.u16be(80);
      out.close(inner);
      out.close(outer);
    },
    want: '1800 1280 0900 0100 7665746800 000000 0600 0200 0050 0000',
  },
];

test.each(rows)('$name', ({ in: write, want }) => {
  const out = new Writer();
  const start = out.begin();
  write(out);
  expect(out.since(start)).toEqual(hex(want));
});

test('a message stays as it is while others are written, short ones and long ones', () => {
  const out = new Writer();
  const messages = [1, 500, 15_000, 7, 40_000, 3, 500].map((length) => {
    const start = out.begin();
    for (let n = 0; n < length; n += 1) out.u8(length);
    return out.since(start);
  });
  expect(messages.map((bytes) => [bytes.length, new Set(bytes)])).toEqual(
    [1, 500, 15_000, 7, 40_000, 3, 500].map((length) => [length, new Set([length & 0xff])]),
  );
});
