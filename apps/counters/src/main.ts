/**
 * Theory of operation. The kernel counts: one nft table with dynamic sets, an element for each combination of interface, source, family
 * (libs/datapath/src/counters-table.ts). The manager tells by D-Bus which interfaces are uplinks and whose guest's link is whose. Every
 * period, and before every answer, the sets are read; what they have more than before is added to the sums of the ledger, and the sample
 * goes into the history file, from which the ledger comes back after any end of this process. Somebody else's `flush ruleset` is heard of
 * by netlink and answered with a new table. Trusted are the kernel and the bus; clients only ask.
 */
import { runDaemon } from '@pp/daemon';
import { SPEC } from './config';
import { wire } from './wiring';

void runDaemon(SPEC, wire);
