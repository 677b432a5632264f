/** What the rows of the kernel's contract (in @pp/linux, run on both) do not say about the fake. */
import { KernelError, SharedMap } from '@pp/base';
import { describe as describeOp } from '../describe';
import type { Outcome } from '../kernel';
import { rulesetText } from '../nft/render';
import type { Op } from '../op';
import { namespacePart } from '../parts/namespace';
import { plan } from '../plan';
import { FakeKernel } from './fake-kernel';

const SHAPE = { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: [] };
const PART = namespacePart({
  number: 0,
  subnet: '100.115.92.128/30',
  hostMac: '02:00:00:00:00:01',
  peerMac: '02:00:00:00:00:02',
  client: null,
  egress: { kind: 'uplink', ifname: 'eth0' },
  source: 'SYSTEM',
  allowUserTraffic: false,
  forceForwarding: false,
});
const NOTHING = { shape: null, sysctls: new Map<string, string>(), parts: SharedMap.of<string, never>() };
const WANT = {
  shape: SHAPE,
  sysctls: new Map<string, string>(),
  parts: SharedMap.of([['namespace/0', PART]]),
};
const BUILD = plan(NOTHING, WANT, new Map());

const words = (outcomes: readonly Outcome[]): readonly string[] =>
  outcomes.map((outcome) => (outcome instanceof KernelError ? outcome.code : outcome));

const load = (text: string): Op => ({ do: 'nft.load', text, was: null });

async function connected(): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  expect(words(await kernel.apply(BUILD))).toEqual(BUILD.map(() => 'done'));
  return kernel;
}

test('the dump reads like ip and nft', async () => {
  const lines = (await connected()).dump().split('\n');
  expect(lines.filter((line) => !/^(chain|counter|set| {2})/.test(line))).toEqual([
    'address 100.115.92.129/30 dev arc_ns0',
    'link arc_ns0 veth alias patchpanel:namespace/0 peer veth0 netns connected_netns_0 address 02:00:00:00:00:02 100.115.92.130/30 via 100.115.92.129 multicast off address 02:00:00:00:00:01 multicast off',
    'netns connected_netns_0',
    'sysctl net.ipv4.conf.arc_ns0.accept_local = 1',
    'sysctl net.ipv4.conf.arc_ns0.accept_redirects = 0',
    'sysctl net.ipv4.conf.arc_ns0.arp_filter = 1',
    'sysctl net.ipv4.conf.arc_ns0.send_redirects = 0',
    'sysctl net.ipv6.conf.arc_ns0.accept_ra = 0',
    'sysctl net.ipv6.conf.arc_ns0.accept_redirects = 0',
    'table inet patchpanel',
    'element guest_address arc_ns0 . 100.115.92.130 : jump mac_of_guest',
    'element guest_egress arc_ns0 : jump egress_to_eth0',
    'element guest_gateways 100.115.92.129',
    'element guest_haste arc_ns0',
    'element guest_mac arc_ns0 . 02:00:00:00:00:02',
    'element guest_mac_checked arc_ns0',
    'element guest_source arc_ns0 : jump source_system',
    'element guests arc_ns0',
    'element uplink_arrival eth0 : jump arrived_by_eth0',
    'element uplink_forward eth0 : jump forward_to_eth0',
    'element uplink_pin eth0 : jump pin_to_eth0',
    'element uplinks eth0',
  ]);
  expect(lines).toContain('chain input { type filter hook input priority filter - 10; policy accept; }');
});

test('a namespace of our own ends with its name, and takes the link and all that is on it along', async () => {
  const kernel = await connected();
  await kernel.apply([{ do: 'netns.del', netns: { name: 'connected_netns_0', from: null } }]);
  expect(kernel.dump()).not.toMatch(/^(netns|link|address|sysctl)/m);
});

const refusals: readonly { readonly name: string; readonly text: string; readonly want: string }[] = [
  {
    name: 'a chain that a rule jumps to',
    text: 'flush chain inet patchpanel from_guest\ndelete chain inet patchpanel from_guest',
    want: 'EBUSY',
  },
  {
    name: 'a chain that an element jumps to',
    text: 'flush chain inet patchpanel source_system\ndelete chain inet patchpanel source_system',
    want: 'EBUSY',
  },
  { name: 'a chain with rules', text: 'delete chain inet patchpanel source_arc', want: 'EBUSY' },
  { name: 'a chain that is not there', text: 'delete chain inet patchpanel nope', want: 'ENOENT' },
  { name: 'a jump to nowhere', text: 'add rule inet patchpanel input jump nope', want: 'ENOENT' },
  {
    name: 'a set that is not there',
    text: 'add rule inet patchpanel input iifname @nope drop',
    want: 'ENOENT',
  },
  {
    name: 'a counter that is not there',
    text: 'add rule inet patchpanel input counter name "nope" drop',
    want: 'ENOENT',
  },
  {
    name: 'another verdict',
    text: 'add element inet patchpanel guest_source { "arc_ns0" : jump source_arc }',
    want: 'EEXIST',
  },
  { name: 'what is no command of ours', text: 'delete table inet other', want: 'EINVAL' },
];

test.each(refusals)('nft refuses, and nothing is changed: $name', async ({ text, want }) => {
  const kernel = await connected();
  const before = kernel.dump();
  const outcomes = await kernel.apply([load(`add chain inet patchpanel first\n${text}\n`)]);
  expect(words(outcomes)).toEqual([want]);
  expect(kernel.dump()).toBe(before);
});

test('an element needs a table', async () => {
  const kernel = await connected();
  kernel.flushRuleset();
  expect(words(await kernel.apply([{ do: 'nft.elements', add: [], del: PART.elements }]))).toEqual([
    'ENOENT',
  ]);
  expect(words(await kernel.apply([load(rulesetText(SHAPE, PART.elements, []))]))).toEqual(['done']);
});

test('a fault at the n-th step, once', async () => {
  const kernel = new FakeKernel();
  kernel.failAt(3, 'ENOMEM');
  const outcomes = await kernel.apply(BUILD);
  expect(words(outcomes)).toEqual(['done', 'done', 'ENOMEM', ...BUILD.slice(3).map(() => 'skipped')]);
  expect(outcomes[2]).toMatchObject({ request: describeOp(BUILD[2] ?? load('')) });
  expect(words(await kernel.apply(BUILD.slice(2)))).toEqual(BUILD.slice(2).map(() => 'done'));
});

test('neighbours in a batch may go on behind a refusal, the table never', async () => {
  const kernel = new FakeKernel({ afterRefusal: 'go on' });
  kernel.failAt(4, 'EPERM'); // the first sysctl of the link
  expect(words(await kernel.apply(BUILD))).toEqual([
    'done',
    'done',
    'done',
    'EPERM',
    ...['done', 'done', 'done', 'done', 'done', 'done'], // five more sysctls and the address
    'skipped',
  ]);
});
