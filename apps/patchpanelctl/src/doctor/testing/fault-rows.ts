import type { FaultRow } from './fault-row';
import { FIREWALL_ROWS } from './firewall-rows';
import { HOST_ROWS } from './host-rows';
import { NETWORK_ROWS } from './network-rows';
import { PROGRAM_ROWS } from './program-rows';
import { SERVICE_ROWS } from './service-rows';
import { SYSCTL_ROWS } from './sysctl-rows';

/** The only list of faults; the same on a script and in the lab. */
export const FAULT_ROWS: readonly FaultRow[] = [
  ...HOST_ROWS,
  ...SERVICE_ROWS,
  ...SYSCTL_ROWS,
  ...FIREWALL_ROWS,
  ...NETWORK_ROWS,
  ...PROGRAM_ROWS,
];
