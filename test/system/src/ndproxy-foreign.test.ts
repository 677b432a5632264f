import { globalAddress, labForEach, labTest, program, STANDARD, type StandardLab, until } from '@pp/lab';
import { answers, forward, guestBehind, startProxy, STATE, up } from './ndproxy-rig';

/*
 * ndproxy beside other programs, and other interfaces, of its host:
 *
 * internet -- router (radvd) -- lan: lanhost, host eth0 -- ndproxy -- vg1: g1
 */

let lab: StandardLab;

labForEach(async (opened) => {
  lab = opened;
  await forward(lab.host);
});

labTest('what another program flushes comes back: the guard, and routes', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  const address = await globalAddress(guest);
  await answers(lab.internet, address);
  const guard = (): Promise<string> => lab.host.shell('nft list ruleset');
  const routes = (): Promise<string> => lab.host.shell('ip -6 route show proto 81');
  expect(await guard()).toContain('"vg1"');
  await lab.host.shell('nft flush ruleset'); // as `systemctl restart nftables` does
  await until('the guard is there again', async () => (await guard()).includes('"vg1"'));
  await lab.host.shell('ip -6 route flush proto 81'); // as a network manager does to routes that it does not know
  await until('the route is there again', async () => (await routes()).includes(`${address} dev vg1`));
  await answers(lab.internet, address);
});

labTest('a second one in a namespace is refused in one line, and the first goes on', async () => {
  const { host } = lab;
  await host.shell('for i in vg1 vg2; do ip link add $i type bridge; ip link set $i up; done');
  const first = await startProxy(host, ['eth0', 'vg1']);
  const guard = (): Promise<string> =>
    host.ok('nft', ['list', 'set', 'inet', 'patchpanel_ndproxy', 'members']);
  const before = await guard();
  expect(before).toContain('"eth0"');
  const { code, stderr } = await host.run(program('ndproxy'), ['--state-dir', `${STATE}-2`, 'eth0', 'vg2']);
  expect([code, stderr]).toEqual([
    1,
    `ndproxy: another ndproxy, pid ${first.pid}, serves this network namespace; one serves all interfaces: name these to it with --group, or stop it\n`,
  ]);
  expect(await guard()).toBe(before);
  first.kill('SIGKILL');
  await first.exited;
  await startProxy(host, ['eth0', 'vg2'], { state: `${STATE}-2` });
});

labTest('who takes the name without the rights of one keeps nobody out', async () => {
  const socat = ['socat', '-d', '-d', 'ABSTRACT-LISTEN:patchpanel_ndproxy,fork', 'PIPE'];
  const other = lab.host.spawn('setpriv', ['--bounding-set=-all', '--inh-caps=-all', '--', ...socat]);
  await other.line('sign of listening', (line) => line.includes('listening on') || undefined);
  await lab.host.shell('ip link add vg1 type bridge; ip link set vg1 up');
  const proxy = await startProxy(lab.host, ['eth0', 'vg1']);
  expect(proxy.stderr).toMatch(/^warn name\.taken name=@patchpanel_ndproxy pid=\d+$/m);
});

labTest('the router may have the link-local address of an interface that is none of ours', async () => {
  const [router] = /fe80:\S+/.exec(await lab.host.ok('ip', ['-6', 'route', 'show', 'default'])) ?? [];
  await lab.host.shell(`
    ip link add docker0 type bridge; ip link set docker0 up
    ip addr add ${router}/64 dev docker0 nodad`);
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
});

labTest('a guest that has found the host on its own link still reaches it when it looks again', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await guest.shell('ip addr add 2001:db8:77::66/64 dev eth0 nodad'); // the prefix is on its link
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await answers(guest, STANDARD.host.v6);
  const state = (): Promise<string> => guest.ok('ip', ['-6', 'neigh', 'show', STANDARD.host.v6]);
  const [, mac = ''] = /lladdr (\S+)/.exec(await state()) ?? [];
  await guest.shell(`echo 1 > /proc/sys/net/ipv6/neigh/eth0/delay_first_probe_time
    ip -6 neigh replace ${STANDARD.host.v6} lladdr ${mac} dev eth0 nud stale
    echo x | timeout 20 socat - UDP6:[${STANDARD.host.v6}]:9 || true`);
  // Nothing but the answer to the probe makes it reachable again.
  await until('the probe was answered', async () => (await state()).includes('REACHABLE'));
});
