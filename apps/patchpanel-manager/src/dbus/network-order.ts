/** Dotted quad as the API has it in uint32 fields: the bytes a.b.c.d in memory order, so 100.115.92.2 is 0x025c7364 (spec 1.4). */
export function networkOrder(ipv4: string): number {
  return ipv4.split('.').reduce((value, octet, index) => value + Number(octet) * 2 ** (8 * index), 0);
}
