import { refuse, type Checked } from '@pp/base';
import {
  ARC_MANAGEMENT,
  ARC_MANAGEMENT_CONFIG,
  arcConfigs,
  arcVethName,
  freshMac,
  stableMac,
} from '@pp/datapath';
import { followUplinks } from '../domain/arc-devices';
import { decided, type Decision } from '../domain/decision';
import { ARC_KEY, type Arc } from '../domain/guest';
import { tapsFor, isMacHeld, withGuest, type World } from '../domain/world';

export interface StartArc {
  /** null: a VM. */
  readonly container: Arc['container'];
  /** cid or pid. */
  readonly id: number;
  readonly tapOwner: number;
  readonly owner: number;
}

/** MAC numbers of ARCVM's TAPs beside the management one: ethernet, ethernet, wifi, wifi, cellular (spec 2). */
const DEVICE_NUMBERS = [2, 3, 4, 5, 6];

/** Spec 4.1. An ARC that runs already must be stopped by the caller first. `randomBytes(n)`: n random bytes. */
export function startArc(
  world: World,
  request: StartArc,
  randomBytes: (n: number) => Uint8Array,
): Checked<Decision<Arc>> {
  if (world.guests.has(ARC_KEY)) return refuse('AlreadyExists', 'ARC runs already');
  const newMac = (): string => freshMac(() => randomBytes(6), isMacHeld(world));
  const base = request.container === null ? vmBase(world) : containerBase(newMac);
  const idle: Arc = { ...request, kind: 'arc', ...base, free: arcConfigs(world.pools), devices: [] };
  const arc = followUplinks(idle, world.uplinks, newMac);
  return decided(withGuest(world, arc), arc);
}

function vmBase(world: World): Pick<Arc, 'management' | 'taps'> {
  const [management = '', ...others] = tapsFor(world, 1 + DEVICE_NUMBERS.length);
  return {
    management: { link: management, mac: stableMac(ARC_MANAGEMENT_CONFIG.stableMac) },
    taps: DEVICE_NUMBERS.map((number, i) => ({ number, tap: others[i] ?? '', mac: stableMac(number) })),
  };
}

const containerBase = (newMac: () => string): Pick<Arc, 'management' | 'taps'> => ({
  management: { link: arcVethName(ARC_MANAGEMENT), mac: newMac() },
  taps: [],
});
