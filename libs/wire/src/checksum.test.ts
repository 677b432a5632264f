import { SeededRandom } from '@pp/base/testing';
import { addToSum, adjustChecksum, checksumOf } from './checksum';
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

test('the example of RFC 1624 §4', () => {
  expect(adjustChecksum(0xdd2f, hex('5555'), hex('3285'))).toBe(0x0000);
});

test('adjusting agrees with summing anew', () => {
  const random = new SeededRandom(20);
  for (let round = 0; round < 500; round++) {
    const message = Uint8Array.from({ length: 32 }, () => random.below(256));
    const at = 2 * random.below(12);
    const before = message.slice();
    const old = checksumOf(addToSum(0, message));
    const after = Uint8Array.from({ length: 6 }, () => random.below(256));
    message.set(after, at);
    expect(adjustChecksum(old, before, after, at)).toBe(checksumOf(addToSum(0, message)));
  }
});
