import type { ArcConfig } from '../arc-configs';
import type { Bridge, Link, Netns, Part, Tap, Veth } from '../desired';
import { ETHERNET_MTU } from '../mtu';
import { ARC_BRIDGE, ARC_MANAGEMENT, ARC_NETNS, arcBridgeName } from '../names';
import { inboundChain, type Egress } from '../nft/chains';
import { SETS } from '../nft/sets';
import { ARC_MANAGEMENT_SUBNET, hostAt } from '../pools';
import { ALIAS_PREFIX } from '../tags';
import { guestElements } from './guest-elements';
import { guestLinkSysctls, withLength } from './namespace';

/** ARC's device for one uplink. */
export interface ArcDevicePart {
  readonly uplink: string;
  readonly config: ArcConfig;
  /** Port of the device's bridge: a TAP of the VM, or the host's end of a veth into the container. */
  readonly link: string;
  /** Of the TAP, or of the container's end. */
  readonly mac: string;
  /** The uplink is there; else the device's traffic goes nowhere. */
  readonly reachable: boolean;
  /** A container's interface has multicast when the uplink has. */
  readonly multicast: boolean;
  /** Of its uplink; null: as the kernel made it, or as it is. */
  readonly mtu?: number | null;
}

/** ARC as a VM or as a container (spec/patchpanel.md 4), with all choices made. */
export interface ArcPart {
  readonly key: string;
  /** null: a VM. */
  readonly container: { readonly pid: number; readonly inode: number } | null;
  readonly management: { readonly link: string; readonly mac: string };
  /** TAPs of a VM that exist from the start, whether a device uses them or not. */
  readonly taps: readonly { readonly tap: string; readonly mac: string }[];
  /** uid that may open the TAPs. */
  readonly tapOwner: number;
  readonly devices: readonly ArcDevicePart[];
  readonly forceForwarding: boolean;
  /** Name of the host's VPN, which Android uses by its management link; null: none is up. */
  readonly vpn?: string | null;
}

export function arcPart(spec: ArcPart): Part {
  const bridges = [ARC_BRIDGE, ...spec.devices.map(({ uplink }) => arcBridgeName(uplink))];
  return {
    netns: spec.container === null ? [] : [arcNetns(spec.container)],
    links: [
      bridge(spec.key, ARC_BRIDGE, null),
      ...spec.devices.map(({ uplink, mtu = null }) => bridge(spec.key, arcBridgeName(uplink), mtu)),
      ...ports(spec),
    ],
    addresses: [
      { ifname: ARC_BRIDGE, cidr: withLength(ARC_MANAGEMENT_SUBNET, 0) },
      ...spec.devices.map(({ uplink, config }) => ({
        ifname: arcBridgeName(uplink),
        cidr: withLength(config.subnet, 0),
      })),
    ],
    routes: [],
    rules: [],
    elements: [
      ...bridgeElements(spec, ARC_BRIDGE, ARC_MANAGEMENT_SUBNET, spec.management.mac, managementEgress(spec)),
      ...spec.devices.flatMap((device) => deviceElements(spec, device)),
    ],
    linkSysctls: bridges.flatMap((ifname) => guestLinkSysctls(ifname, spec.forceForwarding)),
  };
}

/** Into its own VPN Android goes by itself. */
const managementEgress = ({ vpn = null }: ArcPart): Egress =>
  vpn === null || vpn === ARC_BRIDGE ? { kind: 'nowhere' } : { kind: 'uplink', ifname: vpn };

const arcNetns = (from: { readonly pid: number; readonly inode: number }): Netns => ({
  name: ARC_NETNS,
  from,
});

const bridge = (key: string, ifname: string, mtu: number | null): Bridge => ({
  kind: 'bridge',
  ifname,
  alias: `${ALIAS_PREFIX}${key}/${ifname}`,
  mac: null,
  mtu,
  multicast: true,
  master: null,
});

/** What is attached to the bridges, and the TAPs that wait for an uplink. */
function ports(spec: ArcPart): readonly Link[] {
  const { management, devices, container } = spec;
  if (container !== null) {
    return [
      veth(spec, {
        ...management,
        mtu: null,
        peer: ARC_MANAGEMENT,
        subnet: ARC_MANAGEMENT_SUBNET,
        multicast: false,
        master: ARC_BRIDGE,
      }),
      ...devices.map(({ link, mac, uplink, config, multicast, mtu = null }) =>
        veth(spec, {
          link,
          mtu,
          mac,
          peer: uplink,
          subnet: config.subnet,
          multicast,
          master: arcBridgeName(uplink),
        }),
      ),
    ];
  }
  const used = new Map(devices.map((device) => [device.link, device]));
  return [
    tap(spec, management.link, management.mac, ARC_BRIDGE, null),
    ...spec.taps.map(({ tap: ifname, mac }) => {
      const device = used.get(ifname);
      const master = device === undefined ? null : arcBridgeName(device.uplink);
      return tap(spec, ifname, mac, master, device?.mtu ?? ETHERNET_MTU);
    }),
  ];
}

const tap = (
  { key, tapOwner }: ArcPart,
  ifname: string,
  mac: string,
  master: string | null,
  mtu: number | null,
): Tap => ({
  kind: 'tap',
  ifname,
  alias: `${ALIAS_PREFIX}${key}`,
  mac,
  owner: tapOwner,
  mtu,
  multicast: true,
  master,
});

interface VethSpec {
  readonly link: string;
  readonly mac: string;
  /** Name inside the container. */
  readonly peer: string;
  readonly subnet: string;
  readonly multicast: boolean;
  readonly mtu: number | null;
  readonly master: string;
}

/** Android chooses its routes itself. */
const veth = ({ key }: ArcPart, { link, mac, peer, subnet, multicast, mtu, master }: VethSpec): Veth => ({
  kind: 'veth',
  ifname: link,
  alias: `${ALIAS_PREFIX}${key}`,
  mac: null,
  mtu,
  multicast: true,
  master,
  peer: { netns: ARC_NETNS, ifname: peer, mac, address: withLength(subnet, 1), gateway: null, multicast },
});

function deviceElements(spec: ArcPart, { uplink, config, mac, reachable }: ArcDevicePart): Part['elements'] {
  const egress: Egress = reachable ? { kind: 'uplink', ifname: uplink } : { kind: 'nowhere' };
  return [
    ...bridgeElements(spec, arcBridgeName(uplink), config.subnet, mac, egress),
    { set: SETS.arcInbound.name, key: [uplink], jump: inboundChain(hostAt(config.subnet, 1)) },
  ];
}

/** `mac`: of a VM's TAP, which the bridge takes as its own; of the container's end of a veth. */
const bridgeElements = (
  { container }: ArcPart,
  ifname: string,
  subnet: string,
  mac: string,
  egress: Egress,
): Part['elements'] =>
  guestElements({
    ifname,
    sources: [hostAt(subnet, 1)],
    gateway: hostAt(subnet, 0),
    egress,
    source: 'ARC',
    mac: { of: container === null ? 'host' : 'guest', address: mac },
    managed: true,
  });
