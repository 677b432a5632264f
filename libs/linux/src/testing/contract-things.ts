import type { Op, Veth } from '@pp/datapath';
import { NEW_MAC } from './contract-row';
import { ADDRESS, BRIDGE, NETNS, TAP, VETH } from './ops';

// What several rows speak of, as steps and as it is seen.

export const netns: Op = { do: 'netns.add', netns: NETNS };
export const veth: Op = { do: 'link.add', link: VETH };
export const bridge: Op = { do: 'link.add', link: BRIDGE };
export const tap: Op = { do: 'link.add', link: TAP };
export const address: Op = { do: 'address.add', address: ADDRESS };
export const second: Veth = {
  ...VETH,
  ifname: 'pptest_ns1',
  mac: NEW_MAC,
  peer: { ...VETH.peer, ifname: 'pptest_veth1', mac: '02:00:00:00:00:78', gateway: null },
};

export const SEEN_NETNS = `netns ${NETNS.name}`;
export const SEEN_VETH = `link ${VETH.ifname} ${VETH.alias} mtu 1500 up ${VETH.mac}`;
export const SEEN_BRIDGE = `link ${BRIDGE.ifname} ${BRIDGE.alias} mtu 1400 up multicast ${BRIDGE.mac}`;
export const SEEN_ADDRESS = `address ${ADDRESS.cidr} on ${VETH.ifname}`;
