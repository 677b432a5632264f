import { seconds } from '@pp/base';
import {
  globalAddress,
  type Guest,
  labForEach,
  labTest,
  pings,
  type Place,
  program,
  type StandardLab,
  startRadvd,
  stopRadvd,
  until,
} from '@pp/lab';
import { answers, forward, guestBehind, sniff, startProxy, STATE, status, up } from './ndproxy-rig';

/* Switches of ndproxy about router advertisements: the lab's own router is replaced by one that behaves as a test needs it. */

let lab: StandardLab;

const RADVD = { ifname: 'lan', prefix: '2001:db8:77::/64', preference: 'high' } as const;

labForEach(async (opened) => {
  lab = opened;
  await forward(lab.host);
});

/** What `status` says of a member. */
const stateOf = async (ifname: string): Promise<string | undefined> =>
  (await status(lab.host)).members.find((member) => member.ifname === ifname)?.state;

const isOpen = (ifname: string): Promise<unknown> =>
  until(`${ifname} is open`, async () => (await stateOf(ifname)) === 'open', { deadline: seconds(20) });

const addresses = (place: Place): Promise<string> => place.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0']);

/** Without IPv6 the guest's link is up all the same, and it has forgotten what it knew. */
const setIpv6 = (guest: Guest, on: boolean): Promise<string> =>
  guest.shell(`echo ${on ? 0 : 1} > /proc/sys/net/ipv6/conf/eth0/disable_ipv6`);

/** One guest asks the router, after a second one has been listening without a word of its own. */
async function askWhileAnotherListens(asker: Guest, listener: Guest): Promise<void> {
  await setIpv6(asker, false);
  await listener.shell('echo 0 > /proc/sys/net/ipv6/conf/eth0/router_solicitations');
  await setIpv6(listener, true);
  await until('the listener hears', async () =>
    /inet6 fe80\S+ scope link (?!tentative)/.test(await addresses(listener)),
  );
  await setIpv6(asker, true);
  await globalAddress(asker);
}

labTest('--ra-multicast: a router that only answers who asks configures also those who do not', async () => {
  await stopRadvd(lab.router);
  await startRadvd(lab.router, { ...RADVD, onlyWhenAsked: true });
  const [g1, g2] = [await guestBehind(lab, 'g1', 'vg1'), await guestBehind(lab, 'g2', 'vg2')];
  for (const guest of [g1, g2]) {
    await setIpv6(guest, false);
    await up(guest);
  }
  const plain = await startProxy(lab.host, ['eth0', 'vg*']);
  for (const ifname of ['vg1', 'vg2']) await isOpen(ifname);
  await askWhileAnotherListens(g1, g2);
  expect(await addresses(g2)).not.toContain('scope global');
  await plain.stop();

  await setIpv6(g2, false);
  await startProxy(lab.host, ['--ra-multicast', 'eth0', 'vg*']);
  for (const ifname of ['vg1', 'vg2']) await isOpen(ifname);
  await askWhileAnotherListens(g1, g2);
  await answers(lab.lanhost, await globalAddress(g2));
});

labTest('--strict: nothing passes before a router advertised twice, however long there is none', async () => {
  await stopRadvd(lab.router);
  const guest = await guestBehind(lab, 'g1', 'vg1');
  const address = '2001:db8:77::66';
  await guest.shell(`ip addr add ${address}/64 dev eth0 nodad`);
  await up(guest);
  await startProxy(lab.host, ['--strict', 'eth0', 'vg1']);
  const uptime = async (): Promise<number> =>
    (
      JSON.parse(await lab.host.ok(program('ndproxy'), ['status', '--json', '--state-dir', STATE])) as {
        uptimeSec: number;
      }
    ).uptimeSec;
  await until('it would be open without the switch', async () => (await uptime()) > 13, {
    deadline: seconds(30),
  });
  expect(await stateOf('vg1')).toBe('waits for router advertisements');
  expect(await pings(lab.lanhost, address)).toBe(false);
  await startRadvd(lab.router, RADVD);
  await isOpen('vg1');
  await answers(lab.lanhost, address);
});

labTest('--ra-without, --not-prefix: a guest hears of what it can use, and of nothing else', async () => {
  await stopRadvd(lab.router);
  const more = `AdvManagedFlag on; AdvOtherConfigFlag on; DNSSL lab.example { };
    prefix 2001:db8:99::/64 { AdvOnLink on; AdvAutonomous on; };`;
  await startRadvd(lab.router, { ...RADVD, more });
  const guest = await guestBehind(lab, 'g1', 'vg1');
  const adverts = await sniff(guest, 'any', 'icmp6 and ip6[40] == 134');
  await startProxy(lab.host, [
    ...['--ra-without', 'managed,other,dnssl', '--not-prefix', '2001:db8:99::/64'],
    ...['eth0', 'vg1'],
  ]);
  await up(guest);
  const address = await globalAddress(guest);
  expect(address).toMatch(/^2001:db8:77:/);
  await answers(lab.internet, address);
  await until('an advertisement was shown', () => Promise.resolve(/2001:db8:77::\/64/.test(adverts.stdout)));
  await adverts.stop();
  expect(adverts.stdout).not.toMatch(/managed|other stateful|dnssl|2001:db8:99/);
  expect(await addresses(guest)).not.toContain('2001:db8:99:');
});

labTest('--dad-ignore: who claims every address keeps no guest from having one', async () => {
  const address = '2001:db8:77::66';
  await lab.lanhost.shell(`cd /proc/sys/net/ipv6; echo 1 > conf/eth0/forwarding; echo 1 > conf/eth0/proxy_ndp
    echo 0 > neigh/eth0/proxy_delay; ip -6 neigh add proxy ${address} dev eth0`);
  const mac = (await lab.lanhost.shell('cat /sys/class/net/eth0/address')).trim();
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['--dad-ignore', mac, 'eth0', 'vg1']);
  await up(guest);
  await globalAddress(guest);
  await guest.shell(`ip addr add ${address}/64 dev eth0`);
  const ignored = async (): Promise<boolean> =>
    (await status(lab.host)).drops.some(({ reason }) => reason === 'dad-ignored');
  await until('the claim was heard', ignored);
  await until('the guest has it', async () =>
    (await guest.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0', '-tentative'])).includes(`${address}/`),
  );
  expect(await addresses(guest)).not.toContain('dadfailed');
});
