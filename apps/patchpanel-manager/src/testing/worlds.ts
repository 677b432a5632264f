import { arcConfigs, poolsWith } from '@pp/datapath';
import { type Arc, type Egress, type Guest, type Namespace, type Vm } from '../domain/guest';
import type { Uplink, UplinkKind } from '../domain/uplink';
import { emptyWorld, withAllGuests, type World } from '../domain/world';

/** Small worlds for tests of what is decided from them. */

const checkedPools = poolsWith([]);
if (!checkedPools.ok) throw new Error(checkedPools.sentence);
const pools = checkedPools.value;

/** `metric` null: it holds no default route. */
export const uplink = (
  ifname: string,
  kind: UplinkKind,
  metric: number | null,
  multicast = true,
): Uplink => ({
  ifname,
  ifindex: 2,
  kind,
  running: true,
  multicast,
  mtu: 1500,
  addresses: [],
  defaults: metric === null ? [] : [{ family: 'ipv4', gateway: '192.0.2.1', metric }],
  routes: [],
});
export const namespace = (number: number, egress: Egress): Namespace => ({
  kind: 'namespace',
  number,
  subnetIndex: 1,
  subnet: '100.115.92.128/30',
  hostMac: '',
  peerMac: '',
  client: null,
  egress,
  source: 'SYSTEM',
  allowUserTraffic: false,
  owner: 0,
});
export const vm = (kind: Vm['kind'], tap: string): Vm => ({
  kind,
  id: '5',
  tap,
  mac: '',
  subnetIndex: 1,
  subnet: '100.115.92.24/30',
  containers: null,
  tapOwner: 0,
  owner: 0,
});
export const arc = (...uplinks: string[]): Arc => {
  const [config] = arcConfigs(pools).ethernet;
  if (config === undefined) throw new Error('the pools have no subnet for ARC');
  return {
    kind: 'arc',
    container: null,
    id: 3,
    management: { link: 'vmtap10', mac: '' },
    taps: [],
    free: arcConfigs(pools),
    devices: uplinks.map((name) => ({ uplink: name, config, link: 'vmtap1', mac: '' })),
    tapOwner: 0,
    owner: 0,
  };
};
export const worldOf = (uplinks: readonly Uplink[], guests: readonly Guest[]): World =>
  withAllGuests({ ...emptyWorld(pools), uplinks }, guests);
