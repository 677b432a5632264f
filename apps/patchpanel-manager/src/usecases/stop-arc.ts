import { accept, refuse, type Checked } from '@pp/base';
import type { Decision } from '../domain/decision';
import { ARC_KEY, type Guest } from '../domain/guest';
import { uplinksBeside } from '../domain/uplink';
import { withoutGuests, type World } from '../domain/world';

/** A VM is stopped by its own cid only; a container whatever pid is named (spec 4.1). */
export function stopArc(world: World, flavour: 'vm' | 'container', id: number): Checked<Decision<null>> {
  const arc = world.guests.get(ARC_KEY);
  if (arc === undefined || !isNamed(arc, flavour, id)) {
    return refuse(
      'NotFound',
      flavour === 'vm' ? `no ARC VM with cid ${id} is running` : 'no ARC container is running',
    );
  }
  const left = withoutGuests(world, [ARC_KEY]);
  const uplinks = uplinksBeside(false, world.uplinks);
  return accept({ world: { ...left, uplinks }, reply: null, goOn: true });
}

function isNamed(guest: Guest, flavour: 'vm' | 'container', id: number): boolean {
  if (guest.kind !== 'arc') return false;
  return flavour === 'container' ? guest.container !== null : guest.container === null && guest.id === id;
}
