import { refuse, type Checked } from '@pp/base';
import { allocateSubnet, freshMac, selectSubnet, stableMac, type Subnet } from '@pp/datapath';
import { decided, type Decision } from '../domain/decision';
import { vmKey, type Vm } from '../domain/guest';
import { guestQuotaFault } from '../domain/quotas';
import { tapsFor, isMacHeld, withGuest, type World } from '../domain/world';

export interface StartVm {
  readonly kind: Vm['kind'];
  /** Decimal; checked not to be zero. */
  readonly id: string;
  /** Of a plugin VM, counted from 1; 0: any. */
  readonly subnetIndex: number;
  /** uid that may open the TAP. */
  readonly tapOwner: number;
  readonly owner: number;
}

/** Spec 4.5. `randomBytes(n)`: n random bytes for the MAC address. */
export function startVm(
  world: World,
  request: StartVm,
  randomBytes: (n: number) => Uint8Array,
): Checked<Decision<Vm>> {
  const { kind, id, subnetIndex, tapOwner, owner } = request;
  if (world.guests.has(vmKey(kind, id))) {
    return refuse('AlreadyExists', `${kind} VM ${id} runs already; shut it down first`);
  }
  const fault = guestQuotaFault(world, kind, owner);
  if (fault !== null) return fault;
  const subnet = selectSubnet(world.pools, kind, subnetIndex, world.held.subnets[kind]);
  if (!subnet.ok) return subnet;
  const containers = kind === 'termina' ? containerSubnet(world) : null;
  if (containers !== null && !containers.ok) return containers;
  const [tap = ''] = tapsFor(world, 1);
  const vm: Vm = {
    kind,
    id,
    tap,
    mac: subnetIndex > 0 ? stableMac(subnetIndex) : freshMac(() => randomBytes(6), isMacHeld(world)),
    subnetIndex: subnet.value.index,
    subnet: subnet.value.prefix,
    containers:
      containers === null ? null : { index: containers.value.index, subnet: containers.value.prefix },
    tapOwner,
    owner,
  };
  return decided(withGuest(world, vm), vm);
}

function containerSubnet(world: World): Checked<Subnet> {
  const subnet = allocateSubnet(world.pools, 'lxd', world.held.subnets.lxd);
  if (subnet !== null) return { ok: true, value: subnet };
  return refuse(
    'ResourceExhausted',
    'all subnets for containers of Termina VMs are in use: shut one down, or start the manager with --pool lxd=CIDR',
  );
}
