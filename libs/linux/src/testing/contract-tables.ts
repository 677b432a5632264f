import { rulesetText, SETS } from '@pp/datapath';
import type { Element, Op } from '@pp/datapath';
import type { KernelRow } from './contract-row';
import { netns, SEEN_NETNS, SEEN_VETH, veth } from './contract-things';
import { VETH } from './ops';

const SHAPE = { uplinks: [], guestPrefixes: ['100.115.92.0/23'] };
const text = rulesetText(SHAPE, [], []);
const load: Op = { do: 'nft.load', text, was: null };
const guest = (ifname: string): Element => ({ set: SETS.guests.name, key: [ifname] });
const verdict: Element = { set: SETS.guestSource.name, key: ['pptest_ns0'], jump: 'source_arc' };
const forward: Element = {
  set: SETS.portForwardsAt.name,
  key: ['eth0', '192.0.2.10', 'tcp', '80'],
  data: ['10.0.0.2', '8080'],
};
const dns: Element = { set: SETS.dnsRedirect6.name, key: ['pptest_ns0'], data: ['fd00::53'] };
const elements = (add: readonly Element[], del: readonly Element[] = []): Op => ({
  do: 'nft.elements',
  add,
  del,
});

export const TABLES: readonly KernelRow[] = [
  { name: 'a ruleset', ops: [load], want: ['done'], seen: ['table'] },
  {
    name: 'a ruleset over itself',
    given: [load, elements([guest('a')])],
    ops: [load],
    want: ['done'],
    seen: ['table'],
  },
  {
    name: 'a ruleset that is none',
    ops: [{ do: 'nft.load', text: 'add rule inet patchpanel nope accept\n', was: null }],
    want: ['ENOENT'],
    seen: [],
  },
  {
    name: 'a table goes',
    given: [load],
    ops: [{ do: 'nft.load', text: null, was: text }],
    want: ['done'],
    seen: [],
  },
  {
    name: 'a table that is not there',
    ops: [{ do: 'nft.load', text: null, was: null }],
    want: ['ENOENT'],
    seen: [],
  },
  { name: 'elements without a table', ops: [elements([guest('a')])], want: ['ENOENT'], seen: [] },
  {
    name: 'elements of several sets',
    given: [load],
    ops: [elements([guest('a'), guest('b'), { set: SETS.hostMac.name, key: ['a', '02:00:00:00:00:01'] }])],
    want: ['done'],
  },
  {
    name: 'an element that is there',
    given: [load, elements([guest('a')])],
    ops: [elements([guest('b'), guest('a')])],
    want: ['EEXIST'],
  },
  {
    name: 'all or nothing: the others of a refused batch are not there',
    given: [load, elements([guest('a')]), elements([guest('c')])],
    ops: [elements([guest('b')]), elements([], [guest('b')]), elements([guest('b'), guest('a')])],
    want: ['done', 'done', 'EEXIST'],
  },
  {
    name: 'an element that is not there',
    given: [load],
    ops: [elements([], [guest('a')])],
    want: ['ENOENT'],
  },
  {
    name: 'elements go',
    given: [load, elements([guest('a'), guest('b')])],
    ops: [elements([], [guest('a'), guest('b')]), elements([], [guest('a')])],
    want: ['done', 'ENOENT'],
  },
  {
    name: 'elements for a link that comes with them',
    given: [load, netns],
    ops: [veth, elements([guest(VETH.ifname)]), elements([], [guest(VETH.ifname)])],
    want: ['done', 'done', 'done'],
    seen: ['table', SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'elements for a link that cannot be made',
    given: [load],
    ops: [veth, elements([guest(VETH.ifname)])],
    want: ['ENOENT'],
    seen: ['table'],
  },
  {
    name: 'elements that are there, for a link that comes with them',
    given: [load, netns, elements([guest(VETH.ifname)])],
    ops: [veth, elements([guest(VETH.ifname)])],
    want: ['done', 'EEXIST'],
    seen: ['table', SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'another verdict for the same key',
    given: [load, elements([verdict])],
    ops: [elements([{ ...verdict, jump: 'source_crosvm' }], [verdict])],
    want: ['done'],
  },
  {
    name: 'elements with values, and another value for the same key',
    given: [load, elements([forward, dns])],
    ops: [elements([{ ...forward, data: ['10.0.0.3', '8080'] }], [forward]), elements([], [dns])],
    want: ['done', 'done'],
  },
  {
    name: 'a value for a key that has one',
    given: [load, elements([forward])],
    ops: [elements([{ ...forward, data: ['10.0.0.3', '8080'] }])],
    want: ['EEXIST'],
  },
];

const sysctl = (key: string, value: string, onlyIf: string | null = null): Op => ({
  do: 'sysctl.set',
  sysctl: { key, value },
  was: '0',
  onlyIf,
});
export const SYSCTLS: readonly KernelRow[] = [
  {
    name: 'a sysctl',
    ops: [sysctl('net.ipv4.ip_forward', '1')],
    want: ['done'],
    seen: ['net.ipv4.ip_forward = 1'],
  },
  {
    name: 'one of several numbers',
    ops: [sysctl('net.ipv4.ip_local_port_range', '32768\t47103')],
    want: ['done'],
    seen: ['net.ipv4.ip_local_port_range = 32768 47103'],
  },
  { name: 'one that is not there', ops: [sysctl('net.ipv4.pptest', '1')], want: ['ENOENT'], seen: [] },
  {
    name: 'only if it holds a value, which it does',
    ops: [sysctl('net.ipv4.ip_forward', '1', '0')],
    want: ['done'],
    seen: ['net.ipv4.ip_forward = 1'],
  },
  {
    name: 'only if it holds a value, which it does not',
    ops: [sysctl('net.ipv4.ip_forward', '1', '2')],
    want: ['done'],
    seen: [],
  },
  {
    name: 'of a link made with it',
    given: [netns],
    ops: [veth, sysctl(`net.ipv6.conf.${VETH.ifname}.accept_ra`, '0')],
    want: ['done', 'done'],
    seen: [SEEN_NETNS, SEEN_VETH],
  },
  {
    name: 'of a link that is not there',
    ops: [sysctl('net.ipv6.conf.pptest_none.accept_ra', '0')],
    want: ['ENOENT'],
    seen: [],
  },
];
