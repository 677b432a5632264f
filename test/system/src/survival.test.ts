import { seconds } from '@pp/base';
import {
  eventOf,
  type HostListing,
  hostListing,
  labTest,
  lastSeen,
  listingDifference,
  passesFrames,
  reaches,
  STANDARD,
  stateDirectory,
  until,
} from '@pp/lab';
import { askStatus } from '@pp/daemon';
import { join } from 'node:path';
import { GuestRig } from './guest-rig';

/** Others take away what is ours; the host must be as before, and theirs as they left it. */

let rig: GuestRig;
let before: HostListing;

const asBefore = async (): Promise<readonly string[]> =>
  listingDifference(before, await hostListing(rig.lab.host));

async function expectRepaired(): Promise<void> {
  await expectNothingLeft(asBefore);
}

const events = (): readonly (string | undefined)[] => rig.manager.process.output().split('\n').map(eventOf);

beforeEach(async () => {
  rig = await GuestRig.open();
  await rig.client.connect({ pid: -1, outboundPhysicalDevice: 'eth1' });
  await rig.client.ask('TerminaVmStartup', { cid: 7 });
  await rig.lab.host.shell('nft add table inet others; nft add chain inet others c');
  before = await settledListing('arc_ns1');
}, seconds(60));

/** An address is checked yet, or the kernel has not noticed that nobody holds the TAP. */
const isOnItsWay = (line: string): boolean =>
  line.includes('"tentative":true') || (line.includes('vmtap') && line.includes('UNKNOWN'));

/** What the host looks like once the link that came last is up, and its addresses are checked. */
async function settledListing(newest: string): Promise<HostListing> {
  await passesFrames(rig.lab.host, newest);
  return until('addresses have settled', async () => {
    const listing = await hostListing(rig.lab.host);
    const hasOwn = listing.some((line) => line.startsWith('addr ') && isLinkLocalOf(newest).test(line));
    return hasOwn && !listing.some(isOnItsWay) ? listing : undefined;
  });
}

const isLinkLocalOf = (ifname: string): RegExp => new RegExp(`"fe80:.*"ifname":"${ifname}"`);

afterEach(() => rig.close(), seconds(60));

const LOSSES: readonly { readonly name: string; readonly script: string; readonly goesDown?: boolean }[] = [
  { name: 'the table', script: 'nft delete table inet patchpanel' },
  {
    name: 'one rule of the table',
    script: `nft delete rule inet patchpanel guard handle $(
      nft -a list chain inet patchpanel guard | sed -n 's/.*# handle //p' | tail -n 1)`,
  },
  { name: 'what is in one chain', script: 'nft flush chain inet patchpanel classify' },
  {
    name: 'the element that lets a guest pass',
    script: 'nft delete element inet patchpanel guests { vmtap0 }',
  },
  { name: 'a set without an element too many', script: 'nft add element inet patchpanel guests { evil0 }' },
  {
    name: 'a table without a chain of others',
    script: "nft add chain inet patchpanel evil '{ type filter hook input priority -400; policy drop; }'",
  },
  { name: 'a table that is awake', script: "nft add table inet patchpanel '{ flags dormant; }'" },
  {
    name: 'routes of an uplink',
    script: 'ip route flush table $((1000 + $(cat /sys/class/net/eth1/ifindex)))',
  },
  { name: 'rules', script: 'ip rule del pref 1010; ip -6 rule del pref 1000; ip rule del pref 32763' },
  { name: 'the address of a guest link', script: 'ip addr del 100.115.92.25/30 dev vmtap0' },
  { name: 'a guest link that is set down', script: 'ip link set vmtap0 down', goesDown: true },
  {
    name: 'an uplink that goes down and comes back at once, with its routes',
    script: `ip link set eth1 down; ip link set eth1 up
      ip route add default via 192.168.88.1 dev eth1 proto dhcp metric 200`,
    goesDown: true,
  },
];

for (const { name, script, goesDown = false } of LOSSES) {
  labTest(`put back: ${name}`, async () => {
    await rig.lab.host.shell(script);
    if (goesDown) return expectSettled(); // a change of the uplinks may be followed before anything is missed
    await until('it was noticed', () => events().includes('datapath.repaired'));
    await expectRepaired();
  });
}

labTest('addresses that the operator gives to a guest link stay when it is repaired', async () => {
  await rig.lab.host
    .shell(`ip addr add 203.0.113.77/32 dev vmtap0; ip addr add 2001:db8:5::1/128 dev vmtap0 nodad
    ip addr del 100.115.92.25/30 dev vmtap0`);
  const addresses = await until('ours is back, and with it the repair is done', async () => {
    const words = (await rig.lab.host.ok('ip', ['-br', 'addr', 'show', 'dev', 'vmtap0'])).split(/\s+/);
    return words.includes('100.115.92.25/30') ? words : undefined;
  });
  expect(addresses).toEqual(expect.arrayContaining(['203.0.113.77/32', '2001:db8:5::1/128']));
});

/** IPv6 finds its router anew in its own time. */
async function expectSettled(): Promise<void> {
  await expectNothingLeft(lasting);
}

/** At some time there is no difference left. */
async function expectNothingLeft(difference: () => Promise<readonly string[]>): Promise<void> {
  const left = await lastSeen('the host is as before', difference, ({ length }) => length === 0);
  expect(left).toEqual([]);
}

const lasting = async (): Promise<readonly string[]> =>
  (await asBefore()).filter((line) => !/inet6|route6|ipv6|^. (link|addr) /.test(line));

labTest('a flush of the whole ruleset: ours is loaded again, what others load later is theirs', async () => {
  const guest = await rig.lab.guest('guest');
  const { reply } = await rig.client.connect({ pid: guest.pid });
  before = (await settledListing(reply.hostIfname)).filter((line) => !/^nft \w+ .*others/.test(line));
  await rig.lab.host.shell('nft flush ruleset');
  await expectRepaired();
  expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);
  await rig.lab.host.shell(
    "nft add table ip theirs; nft add chain ip theirs c '{ type filter hook input priority 5; }'",
  );
  const theirs = await rig.lab.host.ok('nft', ['list', 'table', 'ip', 'theirs']);
  await rig.lab.host.shell('nft delete table inet patchpanel');
  await until('the table is back', () =>
    rig.lab.host.ok('nft', ['list', 'chain', 'inet', 'patchpanel', 'guard']),
  );
  expect(await rig.lab.host.ok('nft', ['list', 'table', 'ip', 'theirs'])).toBe(theirs);
});

labTest('the log says who edited the table; what others do to their own is not looked at', async () => {
  await rig.lab.host
    .shell(`nft add rule inet others c drop; nft flush ruleset ip; nft delete table inet others
    nft add rule inet patchpanel guard drop`);
  await until('it was noticed', () => events().includes('datapath.repaired'));
  const repairs = rig.manager.process
    .output()
    .split('\n')
    .filter((line) => line.includes('datapath.repaired'));
  expect(repairs).toEqual([expect.stringMatching(/"by":"nft \(pid \d+\)"/)]);
});

labTest('somebody who flushes again and again is answered ever later, and the status says so', async () => {
  const flush = async (): Promise<void> => {
    await until('the table is there', () =>
      rig.lab.host.ok('nft', ['delete', 'table', 'inet', 'patchpanel']).then(() => true),
    );
  };
  const socket = join(stateDirectory(rig.lab.host), 'patchpanel-manager.sock');
  const warnings = async (): Promise<string> =>
    (
      JSON.parse(await askStatus('patchpanel-manager', socket)) as { readonly warnings: readonly string[] }
    ).warnings.join();
  // In a row is what comes within two seconds.
  await until(
    'the status says so',
    async () => {
      await flush();
      return /removed or changed our nftables table \d+ times in a row/.test(await warnings());
    },
    { deadline: seconds(40) },
  );
  await until('the table is there', () => rig.lab.host.ok('nft', ['list', 'table', 'inet', 'patchpanel']));
});
