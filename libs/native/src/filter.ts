import type { BpfInstruction } from './api/bpf';

const INSTRUCTION_BYTES = 8; // struct sock_filter: u16 code, u8 jt, u8 jf, u32 k, in host order

/** A program as the kernel takes it (linux/filter.h). */
export function filterBytes(filter: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(filter.length * INSTRUCTION_BYTES);
  const codes = new Uint16Array(bytes.buffer);
  const constants = new Uint32Array(bytes.buffer);
  filter.forEach(({ code, jt, jf, k }, index) => {
    codes[index * 4] = code;
    bytes[index * INSTRUCTION_BYTES + 2] = jt;
    bytes[index * INSTRUCTION_BYTES + 3] = jf;
    constants[index * 2 + 1] = k;
  });
  return bytes;
}
