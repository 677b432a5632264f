import { accept, refuse, type Checked } from '@pp/base';
import type { Decision } from '../domain/decision';
import { vmKey, type Vm } from '../domain/guest';
import { withoutGuests, type World } from '../domain/world';

export function stopVm(world: World, kind: Vm['kind'], id: string): Checked<Decision<null>> {
  const key = vmKey(kind, id);
  if (!world.guests.has(key)) return refuse('NotFound', `${kind} VM ${id} is not running`);
  return accept({ world: withoutGuests(world, [key]), reply: null, goOn: true });
}
