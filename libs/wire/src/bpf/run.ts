import { Ancillary, BpfCode, type BpfInstruction } from './assemble';

/** What the kernel knows of a packet beside its bytes, by the numbers of `Ancillary`. */
export type AncillaryFacts = ReadonlyMap<number, number>;

/**
 * Runs a filter as the kernel does: the number of bytes accepted, 0 for a packet that is dropped. A load past the end drops it. Knows the
 * instructions of BpfCode; another one is a RangeError.
 */
export function runBpf(
  program: readonly BpfInstruction[],
  packet: Uint8Array,
  facts: AncillaryFacts = new Map(),
): number {
  let [a, x] = [0, 0];
  for (let pc = 0; ; pc++) {
    const instruction = program[pc];
    if (instruction === undefined) throw new RangeError('BPF program without end');
    const { code, jt, jf, k } = instruction;
    if (code === BpfCode.ret) return k;
    if (isJump(code)) {
      pc += holds(code, a, k) ? jt : jf;
      continue;
    }
    if (code === BpfCode.tax) x = a;
    else if (code === BpfCode.ldxImm) x = k;
    else if (code === BpfCode.ldImm) a = k;
    else if (code === BpfCode.ldW && k === Ancillary.netlinkAttribute) a = netlinkAttribute(packet, a, x);
    else if (code === BpfCode.and) a = (a & k) >>> 0;
    else if (code === BpfCode.add) a = (a + k) >>> 0;
    else {
      const value = loaded(code, packet, k, x, facts);
      if (value === null) return 0;
      a = value;
    }
  }
}

const JUMPS: readonly number[] = [BpfCode.jeq, BpfCode.jgt, BpfCode.jge, BpfCode.jset];
const isJump = (code: number): boolean => JUMPS.includes(code);

function holds(code: number, a: number, k: number): boolean {
  if (code === BpfCode.jeq) return a === k;
  if (code === BpfCode.jgt) return a > k;
  if (code === BpfCode.jge) return a >= k;
  return (a & k) !== 0;
}

const SIZES: Readonly<Record<number, number>> = {
  [BpfCode.ldB]: 1,
  [BpfCode.ldBx]: 1,
  [BpfCode.ldH]: 2,
  [BpfCode.ldW]: 4,
  [BpfCode.ldWx]: 4,
};

const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const NLA_TYPE_MASK = 0x3fff;

/** As bpf_skb_get_nlattr in net/core/filter.c: struct nlattr is u16 length with its header, u16 type, in host order. */
function netlinkAttribute(packet: Uint8Array, start: number, type: number): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  for (let at = start; at + 4 <= packet.length;) {
    const length = view.getUint16(at, HOST_IS_LITTLE);
    if (length < 4 || at + length > packet.length) return 0;
    if ((view.getUint16(at + 2, HOST_IS_LITTLE) & NLA_TYPE_MASK) === type) return at;
    at += (length + 3) & ~3;
  }
  return 0;
}

/** null: past the end of the packet. */
function loaded(
  code: number,
  packet: Uint8Array,
  k: number,
  x: number,
  facts: AncillaryFacts,
): number | null {
  const size = SIZES[code];
  if (size === undefined) throw new RangeError(`BPF instruction 0x${code.toString(16)} is not known here`);
  const fact = facts.get(k);
  if (fact !== undefined) return fact;
  const at = code === BpfCode.ldBx || code === BpfCode.ldWx ? x + k : k;
  if (at + size > packet.length) return null;
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (packet[at + i] ?? 0);
  return value;
}
