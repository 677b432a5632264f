/** linux/capability.h */
const CAPABILITIES = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n, CAP_SYS_ADMIN: 21n } as const;
export type Capability = keyof typeof CAPABILITIES;

/** `status`: of a process, as /proc/PID/status has it (proc(5)); where it does not tell, none is had. */
export function hasCapability(status: string, capability: Capability): boolean {
  const [, hex = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return ((BigInt(`0x${hex}`) >> CAPABILITIES[capability]) & 1n) === 1n;
}
