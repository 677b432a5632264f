import type { Checked } from '@pp/base';
import { decided, type Decision } from '../domain/decision';
import type { World } from '../domain/world';

/** Told again, nothing changes. */
export const setVpnLockdown = (world: World, vpnLockdown: boolean): Checked<Decision<null>> =>
  decided(world.vpnLockdown === vpnLockdown ? world : { ...world, vpnLockdown }, null);
