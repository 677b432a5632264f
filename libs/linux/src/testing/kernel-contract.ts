import { ADDRESSES, LINKS, NAMESPACES } from './contract-links';
import type { KernelRow } from './contract-row';
import { ROUTES, RULES } from './contract-routes';
import { SYSCTLS, TABLES } from './contract-tables';

export { CONTRACT_ASK, CONTRACT_HOST, type KernelRow, runRow } from './contract-row';

/** What every kernel door does: the rows run on the fake and on Linux. */
export const KERNEL_ROWS: readonly KernelRow[] = [
  { name: 'nothing at all', ops: [], want: [], seen: [] },
  ...NAMESPACES,
  ...LINKS,
  ...ADDRESSES,
  ...ROUTES,
  ...RULES,
  ...TABLES,
  ...SYSCTLS,
];
