/** An Ethernet address as a number, for sets; 48 bits fit exactly. */
export function macNumber(mac: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (mac[i] ?? 0);
  return value;
}
