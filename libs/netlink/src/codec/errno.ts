import { constants } from 'node:os';
import type { Errno } from '@pp/base';

// What node does not know by name (asm-generic/errno.h), and the kernel's own ENOTSUPP that leaks out of some drivers.
const EXTRA: readonly (readonly [number, Errno])[] = [
  [64, 'ENONET'],
  [76, 'ENOTUNIQ'],
  [94, 'ESOCKTNOSUPPORT'],
  [95, 'EOPNOTSUPP'], // node calls it ENOTSUP as well
  [96, 'EPFNOSUPPORT'],
  [108, 'ESHUTDOWN'],
  [112, 'EHOSTDOWN'],
  [117, 'EUCLEAN'],
  [121, 'EREMOTEIO'],
  [132, 'ERFKILL'],
  [524, 'ENOTSUPP'],
];

const NAMES: ReadonlyMap<number, Errno> = new Map([
  ...Object.entries(constants.errno)
    .filter(([name]) => name !== 'EWOULDBLOCK')
    .map(([name, number]) => [number, name as Errno] as const),
  ...EXTRA,
]);

/** errno by name; a number that has none is "E<number>". */
export const errnoName = (errno: number): Errno => NAMES.get(errno) ?? `E${errno}`;
