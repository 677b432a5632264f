/** Classic BPF as data: programs are written with labels, assembled here, and run by the kernel (linux/filter.h) or by `runBpf`. */

/** struct sock_filter. */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** linux/bpf_common.h: class, size and mode, or operation and source, in one number. */
export const BpfCode = {
  ldB: 0x30,
  ldH: 0x28,
  ldW: 0x20,
  ldImm: 0x00,
  /** Byte, word at X + k. */
  ldBx: 0x50,
  ldWx: 0x40,
  ldxImm: 0x01,
  and: 0x54,
  add: 0x04,
  tax: 0x07,
  jeq: 0x15,
  jgt: 0x25,
  jge: 0x35,
  jset: 0x45,
  ret: 0x06,
} as const;

/** Ancillary loads (linux/filter.h): facts of the packet that are not in its bytes, at SKF_AD_OFF. */
const SKF_AD_OFF = 0xfffff000;
export const Ancillary = {
  protocol: SKF_AD_OFF,
  packetType: SKF_AD_OFF + 4,
  ifindex: SKF_AD_OFF + 8,
  /** Where the netlink attribute of type X is, of those that begin at A; 0: there is none. A word. */
  netlinkAttribute: SKF_AD_OFF + 12,
  vlanTag: SKF_AD_OFF + 44,
  vlanTagPresent: SKF_AD_OFF + 48,
} as const;

/** One line of a program: an instruction, or a place that jumps lead to. */
export type BpfLine =
  | { readonly label: string }
  | { readonly op: keyof typeof BpfCode; readonly k: number; readonly then?: string; readonly else?: string };

export const label = (name: string): BpfLine => ({ label: name });
export const load = (size: 'ldB' | 'ldH' | 'ldW', k: number): BpfLine => ({ op: size, k });
/** Falls through where `then` or `else` is not given. */
export const jump = (
  op: 'jeq' | 'jgt' | 'jge' | 'jset',
  k: number,
  to: { readonly then?: string; readonly else?: string },
): BpfLine => ({ op, k, ...to });
/** Accepts this many bytes of the packet; 0 drops it. */
export const accept = (bytes: number): BpfLine => ({ op: 'ret', k: bytes });

const MAX_JUMP = 0xff;

/** Throws RangeError for a label that is missing, behind the jump, or too far ahead: BPF only jumps forward. */
export function assembleBpf(lines: readonly BpfLine[]): readonly BpfInstruction[] {
  const places = new Map<string, number>(); // BOUNDED: by the program
  const instructions: Exclude<BpfLine, { label: string }>[] = [];
  for (const line of lines) {
    if ('label' in line) places.set(line.label, instructions.length);
    else instructions.push(line);
  }
  const offset = (from: number, to: string | undefined): number => {
    if (to === undefined) return 0;
    const distance = (places.get(to) ?? -1) - from - 1;
    if (distance < 0 || distance > MAX_JUMP) throw new RangeError(`no BPF jump from ${from} to ${to}`);
    return distance;
  };
  return instructions.map((line, at) => ({
    code: BpfCode[line.op],
    jt: offset(at, line.then),
    jf: offset(at, line.else),
    k: line.k,
  }));
}
