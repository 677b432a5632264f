import { addToSum, checksumOf } from './checksum';
import { hex } from './testing/hex';

test.each([
  { name: 'nothing', bytes: '', want: 0xffff },
  { name: 'the example of RFC 1071 §3', bytes: '0001 f203 f4f5 f6f7', want: ~0xddf2 & 0xffff },
  { name: 'an odd last byte counts as if a zero followed', bytes: '0001 f2', want: ~0xf201 & 0xffff },
  { name: 'a sum that carries twice', bytes: 'ffff ffff 0001', want: ~0x0001 & 0xffff },
])('checksum of $name', ({ bytes, want }) => {
  expect(checksumOf(addToSum(0, hex(bytes)))).toBe(want);
});

test('64 KiB of ones do not overflow', () => {
  expect(checksumOf(addToSum(0, new Uint8Array(1 << 16).fill(0xff)))).toBe(0);
});
