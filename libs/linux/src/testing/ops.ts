import { OTHER_UID } from './uids';
import { ALIAS_PREFIX } from '@pp/datapath';
import type { Address, Bridge, Netns, Op, Route, Rule, Tap, Veth } from '@pp/datapath';

/** One of each thing, under names that no test host has. */
export const NETNS: Netns = { name: 'pptest_netns', from: null };

export const VETH: Veth = {
  kind: 'veth',
  ifname: 'pptest_ns0',
  alias: `${ALIAS_PREFIX}namespace/0`,
  mac: '02:00:00:00:00:10',
  mtu: null,
  multicast: false,
  master: null,
  peer: {
    netns: NETNS.name,
    ifname: 'pptest_veth0',
    mac: '02:00:00:00:00:11',
    address: '100.115.92.130/30',
    gateway: '100.115.92.129',
    multicast: false,
  },
};

export const BRIDGE: Bridge = {
  kind: 'bridge',
  ifname: 'pptest_br0',
  alias: `${ALIAS_PREFIX}arc`,
  mac: '02:00:00:00:00:20',
  mtu: 1400,
  multicast: true,
  master: null,
};

export const TAP: Tap = {
  kind: 'tap',
  ifname: 'pptest_tap0',
  alias: `${ALIAS_PREFIX}vm/1`,
  mac: '42:37:05:13:17:01',
  mtu: 1450,
  multicast: true,
  master: null,
  owner: OTHER_UID,
};

export const ADDRESS: Address = { ifname: VETH.ifname, cidr: '100.115.92.129/30' };

export const ROUTE: Route = {
  kind: 'unicast',
  dst: '10.9.0.0/24',
  via: '100.115.92.130',
  dev: VETH.ifname,
  src: '100.115.92.129',
  table: 1002,
  metric: 65536,
  onlink: false,
};

export const RULE: Rule = {
  family: 'ipv4',
  priority: 1010,
  fwmark: { value: 0x03ea0000, mask: 0xffff0000 },
  iif: null,
  oif: null,
  from: null,
  to: null,
  table: 1002,
  suppressPrefixLength: null,
};

export const SYSCTL: Op = {
  do: 'sysctl.set',
  sysctl: { key: 'net.ipv4.ip_forward', value: '1' },
  was: '0',
  onlyIf: null,
};

export const LOAD: Op = { do: 'nft.load', text: null, was: null };

export const ELEMENTS: Op = { do: 'nft.elements', add: [], del: [] };
