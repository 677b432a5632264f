import { describe as describeOp } from './describe';
import type { Link } from './desired';
import { inverse } from './inverse';
import type { Op } from './op';

const LINK: Link = {
  kind: 'tap',
  ifname: 'vmtap0',
  alias: 'patchpanel:termina/1',
  mac: null,
  mtu: 1500,
  multicast: true,
  master: null,
  owner: 0,
};
const CHANGED: Link = { ...LINK, mtu: 1400, master: 'arcbr0' };
const NETNS = { name: 'connected_netns_0', from: { pid: 4711, inode: 4026532001 } };
const ADDRESS = { ifname: 'vmtap0', cidr: '10.0.0.1/30' };
const ROUTE = {
  kind: 'unicast',
  dst: '10.9.0.0/24',
  via: null,
  dev: 'vmtap0',
  src: null,
  table: 254,
  metric: 0,
  onlink: false,
} as const;
const RULE = {
  family: 'ipv6',
  priority: 1000,
  fwmark: null,
  iif: null,
  oif: null,
  from: null,
  to: null,
  table: 254,
  suppressPrefixLength: 0,
} as const;
const SYSCTL = { key: 'net.ipv6.conf.vmtap0.accept_ra', value: '0' };
const ELEMENTS = [{ set: 'guests', key: ['vmtap0'] }];

/** A step, the steps that undo it, and whether those, undone, are the step again. */
const rows: readonly { readonly op: Op; readonly want: readonly string[]; readonly isPair: boolean }[] = [
  { op: { do: 'netns.add', netns: NETNS }, want: ['netns.del connected_netns_0 of pid 4711'], isPair: true },
  { op: { do: 'netns.del', netns: NETNS }, want: ['netns.add connected_netns_0 of pid 4711'], isPair: true },
  { op: { do: 'link.add', link: LINK }, want: ['link.del vmtap0'], isPair: true },
  {
    op: { do: 'link.set', link: CHANGED, was: LINK },
    want: ['link.set vmtap0 mtu 1500 multicast on'],
    isPair: true,
  },
  {
    op: {
      do: 'link.del',
      link: LINK,
      lost: { addresses: [ADDRESS], routes: [ROUTE], linkSysctls: [SYSCTL] },
    },
    want: [
      'link.add tap vmtap0',
      'sysctl.set net.ipv6.conf.vmtap0.accept_ra = 0',
      'address.add 10.0.0.1/30 dev vmtap0',
      'route.add 10.9.0.0/24 dev vmtap0 table 254 metric 0',
    ],
    isPair: false,
  },
  { op: { do: 'address.add', address: ADDRESS }, want: ['address.del 10.0.0.1/30 dev vmtap0'], isPair: true },
  { op: { do: 'address.del', address: ADDRESS }, want: ['address.add 10.0.0.1/30 dev vmtap0'], isPair: true },
  {
    op: { do: 'route.add', route: ROUTE },
    want: ['route.del 10.9.0.0/24 dev vmtap0 table 254 metric 0'],
    isPair: true,
  },
  {
    op: { do: 'route.del', route: ROUTE },
    want: ['route.add 10.9.0.0/24 dev vmtap0 table 254 metric 0'],
    isPair: true,
  },
  {
    op: { do: 'rule.add', rule: RULE },
    want: ['rule.del ipv6 1000: from all lookup 254 suppress_prefixlength 0'],
    isPair: true,
  },
  {
    op: { do: 'rule.del', rule: RULE },
    want: ['rule.add ipv6 1000: from all lookup 254 suppress_prefixlength 0'],
    isPair: true,
  },
  { op: { do: 'nft.load', text: 'new', was: null }, want: ['nft.load nothing'], isPair: true },
  { op: { do: 'nft.load', text: null, was: 'old' }, want: ['nft.load table inet patchpanel'], isPair: true },
  {
    op: { do: 'nft.elements', add: ELEMENTS, del: [] },
    want: ['nft.elements del guests { "vmtap0" }'],
    isPair: true,
  },
  {
    op: { do: 'sysctl.set', sysctl: { key: 'net.ipv4.ip_forward', value: '1' }, was: '0', onlyIf: null },
    want: ['sysctl.set net.ipv4.ip_forward = 0 if it is 1'],
    isPair: false,
  },
];

test.each(rows.map((row) => ({ ...row, name: describeOp(row.op) })))(
  'undo of $name',
  ({ op, want, isPair }) => {
    const undo = inverse(op);
    expect(undo.map(describeOp)).toEqual(want);
    if (isPair) expect(undo.flatMap(inverse)).toEqual([op]);
  },
);
