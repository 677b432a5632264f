/** "Network order" of the API: the first byte of the address is the lowest of the integer. */
export function dottedQuad(value: number): string {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff).join('.');
}

export const subnetText = ({
  baseAddr,
  prefixLen,
}: {
  readonly baseAddr: number;
  readonly prefixLen: number;
}): string => `${dottedQuad(baseAddr)}/${prefixLen}`;
