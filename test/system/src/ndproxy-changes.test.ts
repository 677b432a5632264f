import {
  globalAddress,
  labForEach,
  labTest,
  type Place,
  STANDARD,
  type StandardLab,
  startRadvd,
  stopRadvd,
  until,
} from '@pp/lab';
import { answers, forward, guestBehind, startProxy, up } from './ndproxy-rig';

/*
 * What changes while ndproxy serves:
 *
 * internet -- router (radvd) -- lan: lanhost, host eth0 -- ndproxy -- vg1: g1
 */

let lab: StandardLab;

labForEach(async (opened) => {
  lab = opened;
  await forward(lab.host);
});

/** An address of `place` that matches, once duplicate detection is through. */
const addressOf = (place: Place, kind: RegExp): Promise<string> =>
  until(
    `${place.name} has an address like ${kind.source}`,
    async () => kind.exec(await place.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0', '-tentative']))?.[1],
  );

labTest('a router comes back with another Ethernet address and another prefix: all follow', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
  const [router] = /fe80:\S+/.exec(await lab.host.ok('ip', ['-6', 'route', 'show', 'default'])) ?? [];
  await stopRadvd(lab.router);
  await lab.router.shell(`ip link set lan down; echo 1 > /proc/sys/net/ipv6/conf/lan/addr_gen_mode
    ip link set lan address 02:50:50:00:77:aa; ip link set lan up
    for address in ${router} 2001:db8:77::1 2001:db8:78::1; do ip addr replace $address/64 dev lan nodad; done`);
  await lab.internet.shell('ip -6 route add 2001:db8:78::/64 via 2001:db8:ffff::1');
  const old = 'prefix 2001:db8:77::/64 { AdvPreferredLifetime 0; AdvValidLifetime 60; };';
  await startRadvd(lab.router, {
    ifname: 'lan',
    prefix: '2001:db8:78::/64',
    preference: 'high',
    more: old,
  });
  const address = await addressOf(guest, /inet6 (2001:db8:78:[0-9a-f:]+)\/64 scope global/);
  await answers(lab.internet, address);
  await answers(guest, STANDARD.internet.v6);
  expect(await lab.host.shell('ip -6 route show proto 81')).toContain(`${address} dev vg1 src 2001:db8:78:`);
  expect(await guest.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0'])).toMatch(/2001:db8:77:\S+ .*deprecated/);
});

labTest('temporary and optimistic addresses, a renamed link and one that flaps', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg*']);
  await guest.shell(`cd /proc/sys/net/ipv6/conf; echo 2 > eth0/use_tempaddr
    for i in all eth0; do echo 1 > $i/optimistic_dad; echo 1 > $i/use_optimistic; done`);
  await up(guest);
  await answers(
    lab.internet,
    await addressOf(guest, /inet6 (2001:db8:77:[0-9a-f:]+)\/64 scope global temporary/),
  );
  await answers(
    lab.internet,
    await addressOf(guest, /inet6 (2001:db8:77:[0-9a-f:]+)\/64 scope global dynamic/),
  );
  await lab.host.shell('ip link set vg1 down; ip link set vg1 name vg9; ip link set vg9 up');
  for (let i = 0; i < 10; i++) await guest.shell('ip link set eth0 down; ip link set eth0 up');
  await answers(lab.internet, await globalAddress(guest));
});

labTest('the uplink loses its network and finds another: prefixes of the first are over', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
  await lab.host.shell('ip link set eth0 down');
  await stopRadvd(lab.router);
  await lab.router.shell('ip addr add 2001:db8:78::1/64 dev lan nodad');
  await startRadvd(lab.router, { ifname: 'lan', prefix: '2001:db8:78::/64', preference: 'high' });
  await lab.host.shell('ip link set eth0 up');
  await addressOf(guest, /inet6 (2001:db8:78:[0-9a-f:]+)\/64 scope global/);
  expect(await guest.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0'])).toMatch(/2001:db8:77:\S+ .*deprecated/);
});
