import { networkOrder } from './network-order';

test.each([
  { name: '100.115.92.2', in: 0x64735c02, want: 0x025c7364 },
  { name: '0.0.0.0', in: 0, want: 0 },
  { name: '1.2.3.255', in: 0x010203ff, want: 0xff030201 },
  { name: '255.2.3.4', in: 0xff020304, want: 0x040302ff },
])('$name', ({ in: value, want }) => {
  expect(networkOrder(value)).toBe(want);
});
