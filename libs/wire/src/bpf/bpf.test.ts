import { hex } from '../testing/hex';
import { accept, Ancillary, assembleBpf, jump, label, load, type BpfLine } from './assemble';
import { runBpf } from './run';

/** IPv6 packets that do not come from this machine; 96 bytes of each. */
const PROGRAM: readonly BpfLine[] = [
  load('ldB', Ancillary.packetType),
  jump('jeq', 4, { then: 'drop' }),
  load('ldH', 12),
  jump('jeq', 0x86dd, { else: 'drop' }),
  accept(96),
  label('drop'),
  accept(0),
];

test('labels become distances', () => {
  expect(assembleBpf(PROGRAM)).toEqual([
    { code: 0x30, jt: 0, jf: 0, k: 0xfffff004 },
    { code: 0x15, jt: 3, jf: 0, k: 4 },
    { code: 0x28, jt: 0, jf: 0, k: 12 },
    { code: 0x15, jt: 0, jf: 1, k: 0x86dd },
    { code: 0x06, jt: 0, jf: 0, k: 96 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ]);
});

const IPV6 = hex('333300000001 020000000001 86dd 60');
test.each([
  { name: 'an IPv6 frame', frame: IPV6, packetType: 0, want: 96 },
  { name: 'a frame that goes out', frame: IPV6, packetType: 4, want: 0 },
  { name: 'another EtherType', frame: hex('333300000001 020000000001 0800 45'), packetType: 0, want: 0 },
  { name: 'a frame that ends before its type', frame: IPV6.subarray(0, 13), packetType: 0, want: 0 },
])('$name: $want bytes', ({ frame, packetType, want }) => {
  expect(runBpf(assembleBpf(PROGRAM), frame, new Map([[Ancillary.packetType, packetType]]))).toBe(want);
});

test('arithmetic and comparison', () => {
  const program = assembleBpf([
    { op: 'ldxImm', k: 1 },
    { op: 'ldBx', k: 1 }, // byte 2: 0x30
    { op: 'and', k: 0xf0 },
    { op: 'add', k: 1 },
    jump('jgt', 0x30, { else: 'no' }),
    jump('jge', 0x31, { else: 'no' }),
    jump('jset', 0x20, { then: 'yes' }),
    label('no'),
    accept(0),
    label('yes'),
    accept(1),
  ]);
  expect(runBpf(program, hex('0000 3f'))).toBe(1);
  expect(runBpf(program, hex('0000 2f'))).toBe(0);
});

test.each([
  { name: 'a label that is not there', lines: [jump('jeq', 0, { then: 'nowhere' }), accept(0)] },
  { name: 'a jump back', lines: [label('loop'), jump('jeq', 0, { then: 'loop' }), accept(0)] },
])('$name does not assemble', ({ lines }) => {
  expect(() => assembleBpf(lines)).toThrow(RangeError);
});

test('a program without end, or with an unknown instruction, does not run', () => {
  expect(() => runBpf([], IPV6)).toThrow(RangeError);
  expect(() => runBpf([{ code: 0x99, jt: 0, jf: 0, k: 0 }], IPV6)).toThrow(RangeError);
});
