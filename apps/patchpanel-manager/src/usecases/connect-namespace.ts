import { refuse, type Checked } from '@pp/base';
import { allocateSubnet, freshMac, type TrafficSource } from '@pp/datapath';
import { decided, type Decision } from '../domain/decision';
import type { Egress, Namespace } from '../domain/guest';
import { nameOf } from '../domain/held';
import { guestQuotaFault, lifelineQuotaFault } from '../domain/quotas';
import { isMacHeld, withNewNamespace, type World } from '../domain/world';

/** ConnectNamespace with its values checked; the namespace is held open by the caller of the use case until the kernel followed. */
export interface ConnectNamespace {
  /** null: a new namespace (pid -1). */
  readonly client: { readonly pid: number; readonly inode: number } | null;
  /** Empty: none is asked for. */
  readonly outboundDevice: string;
  readonly routeOnVpn: boolean;
  readonly allowUserTraffic: boolean;
  readonly source: TrafficSource;
  /** uid of the caller. */
  readonly owner: number;
  /** So many numbers that were free turned out to have names of somebody else. */
  readonly passedOver: number;
  /** The client's namespace has a default route of its own; looked at once a first try was refused. */
  readonly hasDefaultRoute: boolean;
}

/** `randomBytes(n)`: n random bytes for the MAC addresses. */
export function connectNamespace(
  world: World,
  request: ConnectNamespace,
  randomBytes: (n: number) => Uint8Array,
): Checked<Decision<Namespace>> {
  const conflict = findConflict(world, request);
  if (conflict !== null) return conflict;
  const fault =
    guestQuotaFault(world, 'namespace', request.owner) ?? lifelineQuotaFault(world, request.owner);
  if (fault !== null) return fault;
  const subnet = allocateSubnet(world.pools, 'namespace', world.held.subnets.namespace);
  if (subnet === null) {
    return refuse(
      'ResourceExhausted',
      'all subnets for connected namespaces are in use: disconnect one, or start the manager with --pool namespace=CIDR',
    );
  }
  const mac = (): string => freshMac(() => randomBytes(6), isMacHeld(world));
  const guest: Namespace = {
    kind: 'namespace',
    number: world.nextNamespace + request.passedOver,
    subnetIndex: subnet.index,
    subnet: subnet.prefix,
    hostMac: mac(),
    peerMac: mac(),
    client: request.client,
    egress: egressOf(request),
    source: request.source === 'UNKNOWN' ? 'SYSTEM' : request.source,
    allowUserTraffic: request.allowUserTraffic,
    owner: request.owner,
  };
  return decided(withNewNamespace(world, guest), guest);
}

function findConflict(
  world: World,
  { outboundDevice, client, hasDefaultRoute }: ConnectNamespace,
): ReturnType<typeof refuse> | null {
  if (outboundDevice !== '' && !world.uplinks.some(({ ifname }) => ifname === outboundDevice)) {
    const known = world.uplinks.map(({ ifname }) => ifname).join(', ');
    const hint = known === '' ? 'there is none now' : `known are: ${known}`;
    return refuse('NotFound', `outbound_physical_device "${outboundDevice}" is not an uplink (${hint})`);
  }
  if (client === null) return null;
  const holder = world.held.names.get(nameOf('netns', client.inode));
  if (holder === undefined && !hasDefaultRoute) return null;
  const what = `the network namespace of process ${client.pid}`;
  if (holder !== undefined) return refuse('AlreadyExists', `${what} is connected already, as ${holder}`);
  return refuse(
    'AlreadyExists',
    `${what} has a default route already: take that away first (ip route del default)`,
  );
}

/** A named device wins over route_on_vpn (spec 3.6 step 5). */
function egressOf({ outboundDevice, routeOnVpn }: ConnectNamespace): Egress {
  if (outboundDevice !== '') return { kind: 'uplink', ifname: outboundDevice };
  return { kind: routeOnVpn ? 'user' : 'default' };
}
