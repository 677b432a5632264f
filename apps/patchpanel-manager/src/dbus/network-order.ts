/** An address, first octet highest, as the API has it in uint32 fields: the bytes a.b.c.d in memory order, so 100.115.92.2 is 0x025c7364 (spec 1.4). */
export const networkOrder = (ipv4: number): number =>
  (((ipv4 & 0xff) << 24) | ((ipv4 & 0xff00) << 8) | ((ipv4 >>> 8) & 0xff00) | (ipv4 >>> 24)) >>> 0;
