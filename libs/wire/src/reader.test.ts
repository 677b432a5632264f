import { Reader } from './reader';

const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

test('reads in network order, and takes all bytes', () => {
  const r = new Reader(BYTES);
  const read = [r.u8(), r.u16be(), r.u32be(), [...r.bytes(1)]];
  expect(r.finish(() => read)).toEqual({ ok: true, value: [1, 0x0203, 0x04050607, [8]] });
});

test('a number with its top bit set stays positive', () => {
  expect(new Reader(Uint8Array.of(0xff, 0, 0, 1)).u32be()).toBe(0xff000001);
});

test.each([
  { name: 'one byte too many', read: (r: Reader) => r.bytes(9) },
  { name: 'a word that begins inside and ends outside', read: (r: Reader) => (r.skip(6), r.u32be()) },
  {
    name: 'a skip past the end',
    read: (r: Reader) => {
      r.skip(9);
    },
  },
])('$name is a fault', ({ read }) => {
  const r = new Reader(BYTES);
  read(r);
  expect(r.finish(() => 'value')).toEqual({ ok: false, fault: 'truncated' });
});

test('after the first fault reads give nothing, and the fault stays', () => {
  const r = new Reader(BYTES);
  r.fail('length');
  expect([r.u8(), r.u16be(), r.u32be(), r.bytes(2).length, r.left]).toEqual([0, 0, 0, 0, 0]);
  r.fail('version');
  expect(r.finish(() => 'value')).toEqual({ ok: false, fault: 'length' });
});

test('bytes that nobody read are a fault', () => {
  const r = new Reader(BYTES);
  r.skip(7);
  expect(r.finish(() => 'value')).toEqual({ ok: false, fault: 'slack' });
});
