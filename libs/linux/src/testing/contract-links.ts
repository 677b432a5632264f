import { NEW_MAC } from './contract-row';
import type { KernelRow } from './contract-row';
import {
  address,
  bridge,
  netns,
  second,
  SEEN_ADDRESS,
  SEEN_BRIDGE,
  SEEN_NETNS,
  SEEN_VETH,
  tap,
  veth,
} from './contract-things';
import { ADDRESS, BRIDGE, NETNS, TAP, VETH } from './ops';

export const NAMESPACES: readonly KernelRow[] = [
  { name: 'a namespace gets a name', ops: [netns], want: ['done'], seen: [SEEN_NETNS] },
  { name: 'a name that is taken', given: [netns], ops: [netns], want: ['EEXIST'], seen: [SEEN_NETNS] },
  { name: 'a name goes', given: [netns], ops: [{ do: 'netns.del', netns: NETNS }], want: ['done'], seen: [] },
  { name: 'a name that is not there', ops: [{ do: 'netns.del', netns: NETNS }], want: ['ENOENT'], seen: [] },
];

export const LINKS: readonly KernelRow[] = [
  { name: 'a veth', given: [netns], ops: [veth], want: ['done'], seen: [SEEN_NETNS, SEEN_VETH] },
  { name: 'a bridge', ops: [bridge], want: ['done'], seen: [SEEN_BRIDGE] },
  {
    name: 'a TAP',
    tap: true,
    ops: [tap],
    want: ['done'],
    seen: [`link ${TAP.ifname} ${TAP.alias} mtu 1450 up multicast ${TAP.mac}`],
  },
  { name: 'a TAP that is there', tap: true, given: [tap], ops: [tap], want: ['EEXIST'] },
  {
    name: 'a TAP under the name of a bridge',
    tap: true,
    given: [bridge],
    ops: [{ do: 'link.add', link: { ...TAP, ifname: BRIDGE.ifname } }],
    want: ['EEXIST'],
    seen: [SEEN_BRIDGE],
  },
  {
    name: 'a namespace and a veth into it at once',
    ops: [netns, veth],
    want: ['done', 'done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'a namespace under a name that is taken, and a veth into it',
    given: [netns],
    ops: [netns, veth],
    want: ['EEXIST'],
    seen: [SEEN_NETNS],
  },
  {
    name: 'two namespaces, the second under the name of the first',
    ops: [netns, netns],
    want: ['done', 'EEXIST'],
    seen: [SEEN_NETNS],
  },
  { name: 'a veth into a namespace that is not there', ops: [veth], want: ['ENOENT'], seen: [] },
  {
    name: 'a veth that is there',
    given: [netns, veth],
    ops: [veth],
    want: ['EEXIST'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'the name of a link that is not ours',
    given: [netns],
    ops: [{ do: 'link.add', link: { ...VETH, ifname: 'eth0' } }, address],
    want: ['EEXIST'],
    seen: [SEEN_NETNS],
  },
  {
    name: 'the name of the peer is taken in its namespace',
    given: [netns, veth],
    ops: [{ do: 'link.add', link: { ...second, peer: { ...second.peer, ifname: VETH.peer.ifname } } }],
    want: ['EEXIST'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'a port of a bridge made with it',
    given: [netns],
    ops: [bridge, { do: 'link.add', link: { ...VETH, master: BRIDGE.ifname } }],
    want: ['done', 'done'],
    seen: [
      SEEN_BRIDGE,
      SEEN_NETNS,
      `link ${VETH.ifname} ${VETH.alias} mtu 1500 up in ${BRIDGE.ifname} ${VETH.mac}`,
    ],
  },
  {
    name: 'a port of a bridge that is not there leaves nothing',
    given: [netns],
    ops: [{ do: 'link.add', link: { ...VETH, master: 'pptest_none' } }],
    want: ['ENODEV'],
    seen: [SEEN_NETNS],
  },
  {
    name: 'all that can be changed',
    given: [netns, veth, bridge],
    ops: [
      {
        do: 'link.set',
        link: { ...VETH, mac: NEW_MAC, mtu: 1300, multicast: true, master: BRIDGE.ifname },
        was: VETH,
      },
    ],
    want: ['done'],
    seen: [
      SEEN_BRIDGE,
      SEEN_NETNS,
      `link ${VETH.ifname} ${VETH.alias} mtu 1300 up multicast in ${BRIDGE.ifname} ${NEW_MAC}`,
    ],
  },
  {
    name: 'out of its bridge',
    given: [netns, bridge, { do: 'link.add', link: { ...VETH, master: BRIDGE.ifname } }],
    ops: [{ do: 'link.set', link: VETH, was: { ...VETH, master: BRIDGE.ifname } }],
    want: ['done'],
    seen: [SEEN_BRIDGE, SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'a change of what is not there',
    ops: [{ do: 'link.set', link: BRIDGE, was: BRIDGE }],
    want: ['ENODEV'],
    seen: [],
  },
  {
    name: 'a change of what is not ours',
    ops: [{ do: 'link.set', link: { ...BRIDGE, ifname: 'eth0' }, was: BRIDGE }],
    want: ['ENODEV'],
    seen: [],
  },
  {
    name: 'a link goes, with its address',
    given: [netns, veth, address],
    ops: [{ do: 'link.del', link: VETH }],
    want: ['done'],
    seen: [SEEN_NETNS],
  },
  { name: 'a link that is not there', ops: [{ do: 'link.del', link: VETH }], want: ['ENODEV'], seen: [] },
  {
    name: 'a link that is not ours is never deleted',
    ops: [{ do: 'link.del', link: { ...VETH, ifname: 'eth0' } }],
    want: ['ENODEV'],
    seen: [],
  },
  {
    name: 'several go at once',
    given: [netns, veth, { do: 'link.add', link: second }, bridge],
    ops: [
      { do: 'link.del', link: VETH },
      { do: 'link.del', link: second },
    ],
    want: ['done', 'done'],
    seen: [SEEN_BRIDGE, SEEN_NETNS],
  },
  {
    name: 'a bridge goes, its port stays',
    given: [netns, bridge, { do: 'link.add', link: { ...VETH, master: BRIDGE.ifname } }],
    ops: [{ do: 'link.del', link: BRIDGE }],
    want: ['done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'gone and back under the same name',
    given: [netns, veth, address],
    ops: [{ do: 'link.del', link: VETH }, veth, address],
    want: ['done', 'done', 'done'],
    seen: [SEEN_ADDRESS, SEEN_NETNS, SEEN_VETH],
  },
];

export const ADDRESSES: readonly KernelRow[] = [
  {
    name: 'an address',
    given: [netns, veth],
    ops: [address],
    want: ['done'],
    seen: [SEEN_ADDRESS, SEEN_NETNS, SEEN_VETH],
  },
  { name: 'an address that is there', given: [netns, veth, address], ops: [address], want: ['EEXIST'] },
  { name: 'an address on a link that is not there', ops: [address], want: ['ENODEV'] },
  {
    name: 'an address goes',
    given: [netns, veth, address],
    ops: [{ do: 'address.del', address: ADDRESS }],
    want: ['done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'an address that is not there',
    given: [netns, veth],
    ops: [{ do: 'address.del', address: ADDRESS }],
    want: ['EADDRNOTAVAIL'],
  },
  {
    name: 'an address on a link that is not ours',
    ops: [{ do: 'address.add', address: { ...ADDRESS, ifname: 'eth0' } }],
    want: ['ENODEV'],
    seen: [],
  },
];
