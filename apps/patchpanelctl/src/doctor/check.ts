import type { Facts } from './facts';
import type { Finding } from './finding';

/** A pure function of the facts that says at least one thing; what the manager warns of may be nothing. */
export type Check = (facts: Facts) => readonly Finding[];
