import {
  ApiClient,
  globalAddress,
  labTest,
  labMissing,
  pings,
  STANDARD,
  standardLab,
  startManager,
  startTermina,
  until,
  type Child,
  type Manager,
  type StandardLab,
} from '@pp/lab';
import { answers, startProxy } from './ndproxy-rig';

/*
 * internet -- router (radvd) -- lan: host eth0 -- manager + ndproxy -- arc_ns0: namespace, vmtap0: VM
 */

let lab: StandardLab;
let manager: Manager;
let api: ApiClient;
let proxy: Child;

if (labMissing() === undefined) {
  beforeEach(async () => {
    lab = await standardLab();
    manager = await startManager(lab.host, { args: ['--uplink', 'eth0=ethernet', '--helpers', 'none'] });
    api = await ApiClient.open(lab.bus.outside);
    proxy = await startProxy(lab.host, []);
  }, 60_000);
  afterEach(async () => {
    await lab.close();
    api.close();
  }, 60_000);
}

/** Routes of guests, which are the manager's. */
const routes = (): Promise<string> => lab.host.shell('ip -6 route show proto 80');

labTest(
  'a connected namespace configures itself and reaches the IPv6 Internet; the host reaches it',
  async () => {
    const client = await lab.guest('client');
    const hostBefore = await globalAddress(lab.host);
    const held = await api.connect({ pid: client.pid });
    const address = await globalAddress(client, held.reply.peerIfname);
    await answers(client, STANDARD.internet.v6);
    await answers(lab.host, address);
    expect(await routes()).toContain(`${address} dev ${held.reply.hostIfname} src ${STANDARD.host.v6}`);
    expect(await pings(lab.lanhost, address)).toBe(false); // nobody asked for it
    expect(await globalAddress(lab.host)).toBe(hostBefore);
    held.release();
    await until('its routes are gone', async () => (await routes()).trim() === '');
  },
);

labTest('a VM does, too, through restarts of the proxy and of the manager', async () => {
  const vm = await startTermina({ lab, client: api }, 5);
  const address = await globalAddress(vm.guest, vm.ifname);
  await answers(vm.guest, STANDARD.internet.v6);
  await answers(lab.host, address);
  await proxy.stop();
  expect(await routes()).toContain(address); // what works goes on
  proxy = await startProxy(lab.host, []);
  await vm.guest.shell('ip -6 neigh flush dev eth0');
  await answers(vm.guest, STANDARD.internet.v6);
  await manager.kill();
  manager = await startManager(lab.host, { args: ['--uplink', 'eth0=ethernet', '--helpers', 'none'] });
  await answers(vm.guest, STANDARD.internet.v6);
  proxy.kill('SIGKILL');
  await proxy.exited;
  proxy = await startProxy(lab.host, []);
  await vm.guest.shell('ip -6 neigh flush dev eth0');
  await answers(vm.guest, STANDARD.internet.v6);
  expect(await routes()).toContain(address);
  await vm.stop();
  expect((await routes()).trim()).toBe('');
});

labTest('its temporary address works again when the uplink comes back, though it says nothing', async () => {
  const { guest, ifname } = await startTermina({ lab, client: api }, 5);
  await globalAddress(guest, ifname);
  await guest.shell(`echo 2 > /proc/sys/net/ipv6/conf/${ifname}/use_tempaddr
    ip link set ${ifname} down; ip link set ${ifname} up`);
  const temporary = await until('it has a temporary address', async () => {
    const shown = await guest.ok('ip', ['-6', 'addr', 'show', 'dev', ifname, '-tentative']);
    return /inet6 (\S+)\/64 scope global temporary/.exec(shown)?.[1];
  });
  await answers(lab.host, temporary); // the guests of the lab check for no duplicates: so it is heard
  await answers(guest, STANDARD.internet.v6);
  await lab.host.shell('ip link set eth0 down');
  await until('its routes are gone', async () => (await routes()).trim() === '');
  await until('its addresses are not preferred', async () =>
    /inet6 2001:\S+ .* deprecated/.test(await guest.ok('ip', ['-6', 'addr', 'show', 'dev', ifname])),
  );
  await lab.host.shell('ip link set eth0 up; ip route add default via 192.168.77.1 dev eth0');
  await answers(guest, STANDARD.internet.v6);
  expect(await routes()).toContain(`${temporary} dev vmtap0`);
});
