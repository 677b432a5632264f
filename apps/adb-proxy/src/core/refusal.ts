/** Why a connection was closed before it reached a target, and what that means. */
export const REFUSALS = {
  source: 'its address is not in --from',
  total: 'as many connections are open as --max-connections allows',
  'per-source': 'as many are open from its address as --max-per-source allows',
  'target-down': 'no target could be connected',
  stopping: 'the service was about to end',
} as const;

export type Refusal = keyof typeof REFUSALS;

/** How many were refused for which reason. */
export type RefusalCounts = Record<Refusal, number>;

export const noRefusals = (): RefusalCounts => ({
  source: 0,
  total: 0,
  'per-source': 0,
  'target-down': 0,
  stopping: 0,
});
