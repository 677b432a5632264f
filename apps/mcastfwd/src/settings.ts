import type { Group } from './core/group';
import type { Policy, PortForward } from './core/policy';
import type { Link } from './core/topology';

/** All that may change while it runs. */
export interface Settings {
  readonly links: readonly Link[];
  readonly groups: readonly Group[];
  readonly policy: Policy;
  /** Ports that the manager has led to guests, beside those that the operator names. */
  readonly told: readonly PortForward[];
}
