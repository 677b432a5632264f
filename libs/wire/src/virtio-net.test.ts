import { hex } from './testing/hex';
import { segmentBytes } from './virtio-net';

/** As an x86 or ARM kernel hands it over. */
const header = (type: number, gsoSize: number, checksumStart: number): Uint8Array => {
  const bytes = new Uint8Array(10);
  new Uint8Array(bytes.buffer)[1] = type;
  new Uint16Array(bytes.buffer).set([gsoSize, checksumStart], 2);
  return bytes;
};

/** Ethernet, IPv6, and a TCP header of 32 bytes. */
function tcp(length: number): Uint8Array {
  const frame = new Uint8Array(length);
  frame.set(hex('86dd'), 12);
  frame[54 + 12] = 8 << 4;
  return frame;
}

test.each([
  { name: 'a frame as it goes on the wire', header: header(0, 0, 0), frame: tcp(1514), want: 1514 },
  { name: 'TCP left to hardware', header: header(4, 1428, 54), frame: tcp(60_000), want: 1514 },
  { name: 'TCP with ECN', header: header(0x84, 1428, 54), frame: tcp(60_000), want: 1514 },
  { name: 'UDP left to hardware', header: header(5, 1200, 54), frame: tcp(60_000), want: 1262 },
  { name: 'a size beyond the frame', header: header(4, 60_000, 54), frame: tcp(1000), want: 1000 },
])('$name: $want bytes', ({ header: before, frame, want }) => {
  expect(segmentBytes(before, frame)).toBe(want);
});
