import type { Group } from './core/group';
import type { Policy } from './core/policy';
import type { Link } from './core/topology';

/** All that may change while it runs. */
export interface Settings {
  readonly links: readonly Link[];
  readonly groups: readonly Group[];
  readonly policy: Policy;
}
