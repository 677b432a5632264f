import { SeededRandom } from '@pp/base/testing';
import { toHex } from '@pp/wire/testing';
import { AddressRows, NONE } from './address-rows';
import { ip } from './testing/scene';

test('an address has its row, wherever its bytes lie, and bytes that differ have none', () => {
  const rows = new AddressRows(1);
  const row = rows.add(ip('2001:db8::2'));
  const within = new Uint8Array(40);
  within.set(ip('2001:db8::2'), 9);
  expect([rows.find(within, 9), rows.find(within, 8), rows.find(ip('2001:db8::3'))]).toEqual([
    row,
    NONE,
    NONE,
  ]);
  expect(rows.addressAt(row)).toEqual(ip('2001:db8::2'));
});

test('a row that was left is given again', () => {
  const rows = new AddressRows(1);
  const [first, second] = [rows.add(ip('2001:db8::1')), rows.add(ip('2001:db8::2'))];
  rows.remove(first);
  expect([rows.find(ip('2001:db8::1')), rows.find(ip('2001:db8::2')), rows.size]).toEqual([NONE, second, 1]);
  expect(rows.add(ip('2001:db8::3'))).toBe(first);
  expect(rows.end).toBe(2);
});

/** Few differ in more than one bit: hashes are to tell them apart all the same. */
function someAddress(random: SeededRandom): Uint8Array {
  const address = ip('2001:db8::');
  const bit = random.below(128);
  address[bit >>> 3] = (address[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
  address[15] = random.below(256);
  return address;
}

test.each([0, 1, 0xffff_ffff, 20_010])('as a Map, through a walk of comings and goings (seed %d)', (seed) => {
  const random = new SeededRandom(seed);
  const rows = new AddressRows(seed);
  const want = new Map<string, number>();
  for (let step = 0; step < 4000; step++) {
    const address = someAddress(random);
    const row = want.get(toHex(address));
    if (rows.find(address) !== (row ?? NONE)) throw new Error(`step ${step}: not where it was put`);
    const isFilling = step % 2000 < 1200;
    if (row === undefined && isFilling) want.set(toHex(address), rows.add(address));
    if (row === undefined || isFilling) continue;
    rows.remove(row);
    want.delete(toHex(address));
  }
  expect(rows.size).toBe(want.size);
  expect(new Set(want.values()).size).toBe(want.size);
  for (const [text, row] of want) expect(toHex(rows.addressAt(row))).toBe(text);
});
