import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  globalAddress,
  labForEach,
  labTest,
  type Place,
  program,
  repository,
  STANDARD,
  type StandardLab,
  until,
} from '@pp/lab';
import { answers, forward, guestBehind, sniff, startProxy, STATE, status, up } from './ndproxy-rig';

/*
 * internet -- router (radvd) -- lan: lanhost, host eth0 -- ndproxy -- vg1: g1, vg2: g2
 */

let lab: StandardLab;

labForEach(async (opened) => {
  lab = opened;
  await forward(lab.host);
});

labTest(
  'a guest configures itself through the proxy, reaches the Internet and is reached by it',
  async () => {
    const guest = await guestBehind(lab, 'g1', 'vg1');
    const proxy = await startProxy(lab.host, ['eth0', 'vg1']);
    await up(guest);
    const address = await globalAddress(guest);
    await answers(guest, STANDARD.internet.v6);
    await answers(lab.internet, address);
    await answers(lab.lanhost, address);
    await answers(lab.host, address);
    await answers(guest, STANDARD.host.v6);
    await answers(guest, STANDARD.lanhost.v6);

    // The guest sees everybody at the proxy's Ethernet address.
    const proxyMac = (await lab.host.shell('cat /sys/class/net/vg1/address')).trim();
    const seen = await guest.ok('ip', ['-6', 'neigh', 'show', 'dev', 'eth0']);
    for (const line of seen.trim().split('\n'))
      expect(line).toMatch(new RegExp(`lladdr ${proxyMac}|FAILED|INCOMPLETE`));
    expect(seen).toMatch(/fe80:\S+ lladdr \S+ router/);

    const told = await status(lab.host);
    expect(told.warnings).toEqual([]);
    expect(told.guard).toBe('in place');
    expect(told.neighbors).toContainEqual(expect.objectContaining({ address, ifname: 'vg1' }));
    const [group] = told.groups;
    const { received = NaN, forwarded = 0, local = 0, dropped = 0, waiting = 0 } = group ?? {};
    expect(received).toBe(forwarded + local + dropped + waiting);

    expect(await lab.host.shell('ip -6 route show proto 81')).toContain(
      `${address} dev vg1 src ${STANDARD.host.v6}`,
    );
    const guard = await lab.host.shell('nft -s list table inet patchpanel_ndproxy');
    expect(guard).toMatch(/elements = \{ "(vg1|eth0)",\s+"(vg1|eth0)" \}/);
    expect(guard).toContain(
      'iifname @members icmpv6 type 133-137 ip6 daddr != ff00::/8 fib daddr type != local counter drop',
    );
    expect((await proxy.stop()).code).toBe(0);
    expect(
      await lab.host.shell('ip -6 route show proto 81; nft list tables; ip -d link show eth0'),
    ).not.toMatch(/proto 81|patchpanel_ndproxy|allmulti [1-9]/);
  },
);

labTest(
  'neighbour unreachability detection works through the proxy, and no "beyond scope" is emitted',
  async () => {
    const guest = await guestBehind(lab, 'g1', 'vg1');
    await startProxy(lab.host, ['eth0', 'vg1']);
    await up(guest);
    const address = await globalAddress(guest);
    const errors = await sniff(lab.lanhost, 'eth0', 'icmp6 and ip6[40] == 1 and ip6[41] == 2');
    await answers(lab.lanhost, address);
    const state = async (): Promise<string> => lab.lanhost.ok('ip', ['-6', 'neigh', 'show', address]);
    const mac = /lladdr (\S+)/.exec(await state())?.[1] ?? '';
    await lab.lanhost.shell('echo 1 > /proc/sys/net/ipv6/neigh/eth0/delay_first_probe_time'); // else five seconds
    await lab.lanhost.shell(`ip -6 neigh replace ${address} lladdr ${mac} dev eth0 nud stale`);
    // A connectionless packet makes it be probed: nothing but the answer to the probe makes it reachable again.
    await lab.lanhost.shell(`echo x | timeout 20 socat - UDP6:[${address}]:9 || true`);
    await until('the probe was answered', async () => (await state()).includes('REACHABLE'));
    await errors.stop();
    expect(errors.stdout.trim()).toBe('');
    expect(await lab.host.shell('nft list table inet patchpanel_ndproxy')).toMatch(/counter packets [1-9]/); // it had work
  },
);

labTest('duplicate address detection crosses the segments, both ways', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await globalAddress(guest);
  const failed = (place: Place, address: string): Promise<unknown> =>
    until(
      `${place.name} finds ${address} to be a duplicate`,
      async () =>
        (await place.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0'])).includes(
          `${address}/64 scope global tentative dadfailed`,
        ) || (await place.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0', 'dadfailed'])).includes(address),
    );
  await guest.shell(`ip addr add ${STANDARD.lanhost.v6}/64 dev eth0`);
  await failed(guest, STANDARD.lanhost.v6);
  await guest.shell(`ip addr add ${STANDARD.host.v6}/64 dev eth0`); // the proxy host's own
  await failed(guest, STANDARD.host.v6);
  await guest.shell('ip addr add 2001:db8:77::77/64 dev eth0');
  await until('the guest has it', async () =>
    (await guest.ok('ip', ['-6', 'addr', 'show', 'dev', 'eth0', '-tentative'])).includes('2001:db8:77::77'),
  );
  await lab.lanhost.shell(
    'echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad; echo 1 > /proc/sys/net/ipv6/conf/all/accept_dad; ip addr add 2001:db8:77::77/64 dev eth0',
  );
  await failed(lab.lanhost, '2001:db8:77::77');
});

labTest('guests on two segments reach each other; one that moves is found again', async () => {
  const [g1, g2] = [await guestBehind(lab, 'g1', 'vg1'), await guestBehind(lab, 'g2', 'vg2')];
  await startProxy(lab.host, ['eth0', 'vg*']);
  await up(g1);
  await up(g2);
  const [a1, a2] = [await globalAddress(g1), await globalAddress(g2)];
  await answers(g1, a2);
  await answers(g2, a1);
  const moving = '2001:db8:77::55';
  await g1.shell(`ip addr add ${moving}/64 dev eth0`);
  await answers(lab.internet, moving);
  await g1.shell(`ip addr del ${moving}/64 dev eth0`);
  await g2.shell(`ip addr add ${moving}/64 dev eth0`);
  await answers(lab.internet, moving);
  expect(await lab.host.shell('ip -6 route show proto 81')).toContain(`${moving} dev vg2`);
});

labTest('with its switches: who is known is asked alone, and a move is announced', async () => {
  const [g1, g2] = [await guestBehind(lab, 'g1', 'vg1'), await guestBehind(lab, 'g2', 'vg2')];
  await startProxy(lab.host, ['--strict', '--suppress', '--announce-moves', 'eth0', 'vg*']);
  await up(g1);
  await up(g2);
  const [address] = [await globalAddress(g1), await globalAddress(g2)];
  await answers(lab.lanhost, address);

  const asked = await sniff(g2, 'eth0', 'icmp6 and ip6[40] == 135');
  await lab.lanhost.shell('ip -6 neigh flush dev eth0');
  await answers(lab.lanhost, address);
  await lab.lanhost.run('ping', ['-6', '-c', '1', '-W', '1', '2001:db8:77::404']); // nobody knows it, so everybody is asked
  await until('the other guest is asked', () =>
    Promise.resolve(asked.stdout.includes('who has 2001:db8:77::404')),
  );
  await asked.stop();
  expect(asked.stdout).not.toContain(`who has ${address}`);

  const moving = '2001:db8:77::55';
  await g1.shell(`ip addr add ${moving}/64 dev eth0`);
  await answers(lab.internet, moving);
  await g1.shell(`ip addr del ${moving}/64 dev eth0`);
  const told = await sniff(g1, 'eth0', 'icmp6 and ip6[40] == 136');
  await g2.shell(`ip addr add ${moving}/64 dev eth0`);
  await answers(lab.internet, moving);
  const announced = new RegExp(`> ff02::1: .* tgt is ${moving}, Flags \\[override\\]`);
  await until('the segment that it left is told', () => Promise.resolve(announced.test(told.stdout)));
  await told.stop();
  expect(await status(lab.host)).toMatchObject({
    strict: true,
    suppress: true,
    announceMoves: true,
    raMulticast: false,
    dropSigned: false,
  });
});

labTest('an interface that vanishes and comes back is served again', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
  await lab.host.shell('ip link del vg1');
  await until('it is awaited', async () =>
    (await status(lab.host)).members.some(({ ifname, state }) => ifname === 'vg1' && state === 'absent'),
  );
  await lab.host.shell(`ip link add vg1 type veth peer name eth0 netns ${guest.pid}; ip link set vg1 up`);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
});

labTest('a downstream may be a bridge that snoops and queries', async () => {
  const guest = await guestBehind(lab, 'g1', 'port1');
  await lab.host.shell(`
    ip link add br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_query_interval 100
    ip link set port1 master br0; ip link set br0 up`);
  const proxy = await startProxy(lab.host, ['eth0', 'br0']);
  await up(guest);
  const address = await globalAddress(guest);
  await answers(guest, STANDARD.internet.v6);
  await answers(lab.internet, address);
  await guest.shell('ip -6 neigh flush dev eth0');
  await lab.lanhost.shell('ip -6 neigh flush dev eth0');
  await answers(lab.lanhost, address);
  await answers(guest, STANDARD.lanhost.v6);
  await proxy.stop();
  await startProxy(lab.host, ['eth0', 'port1']); // a mistake
  expect((await status(lab.host)).warnings).toEqual(['port1 is a port of br0: name br0 in its place']);
});

labTest('an upstream that goes takes its routers along, and brings them back', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await globalAddress(guest);
  const routes = (): Promise<string> => guest.ok('ip', ['-6', 'route', 'show', 'default']);
  expect(await routes()).toContain('via fe80:');
  await lab.host.shell('ip link set eth0 down');
  await until('the guest has no default route', async () => !(await routes()).includes('via fe80:'));
  await lab.host.shell('ip link set eth0 up');
  await answers(guest, STANDARD.internet.v6);
});

labTest('killed, it leaves nothing harmful, and the next one takes over', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  const first = await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  const address = await globalAddress(guest);
  await answers(lab.internet, address);
  first.kill('SIGKILL');
  await first.exited;
  expect(await lab.host.shell('ip -d link show eth0')).not.toMatch(/allmulti [1-9]|promiscuity [1-9]/);
  await lab.host.shell('ip -6 route add 2001:db8:77::dead/128 dev vg1 proto 81'); // a guest that has gone meanwhile
  await startProxy(lab.host, ['eth0', 'vg1']);
  expect(await lab.host.shell('nft list table inet patchpanel_ndproxy | grep -c "drop"')).toBe('1\n');
  await answers(lab.internet, address);
  const routes = (): Promise<string> => lab.host.shell('ip -6 route show proto 81');
  await until('the route of the guest that has gone is gone', async () => !(await routes()).includes('dead'));
  expect(await routes()).toContain(`${address} dev vg1`);
});

labTest('two proxies in parallel settle: no storm, and the guest works', async () => {
  // A second way between the same two segments: a bridge joins g1 and the second proxy's downstream.
  const second = await lab.lab.host('second');
  await lab.lab.plug(second, 'lan', { ifname: 'eth0', mac: '02:50:50:00:77:03', addresses: [] });
  await lab.lab.plug(lab.host, 'guests', { ifname: 'guests0', mac: '02:50:50:00:99:01', addresses: [] });
  await lab.lab.plug(second, 'guests', { ifname: 'guests0', mac: '02:50:50:00:99:02', addresses: [] });
  const guest = await lab.lab.host('g1');
  await lab.lab.plug(guest, 'guests', { ifname: 'eth0', mac: '02:50:50:00:99:03', addresses: [] });
  await guest.shell('ip link set eth0 down');
  await forward(second);
  await startProxy(lab.host, ['eth0', 'guests0']);
  await startProxy(second, ['eth0', 'guests0']);
  await up(guest);
  const address = await globalAddress(guest);
  await answers(guest, STANDARD.internet.v6);
  await answers(lab.internet, address);
  const sent = async (): Promise<number> => (await status(lab.host)).groups[0]?.['sent'] ?? NaN;
  await guest.shell('ip -6 neigh flush dev eth0');
  const before = await sent();
  await guest.run('ping', ['-6', '-c', '1', '-W', '1', '2001:db8:77::404']); // a solicitation that nobody answers, three times
  expect((await sent()) - before).toBeLessThan(60);
});

labTest('a chain of two, the second nested: a guest behind both reaches the Internet', async () => {
  const vm = await guestBehind(lab, 'vm', 'vmtap1');
  const container = await lab.guest('container');
  await vm.shell(`ip link add veth1 type veth peer name eth0 netns ${container.pid}; ip link set veth1 up`);
  await startProxy(lab.host, ['eth0', 'vmtap*']);
  await forward(vm);
  await up(vm);
  await globalAddress(vm);
  await startProxy(vm, ['--loop-policy', 'nested', 'eth0', 'veth1'], { state: `${STATE}-vm` });
  await up(container);
  const address = await globalAddress(container);
  await answers(container, STANDARD.internet.v6);
  await answers(lab.internet, address);
});

labTest('groups are changed while it runs, and a trace says what becomes of a message', async () => {
  const [g1, g2] = [await guestBehind(lab, 'g1', 'vg1'), await guestBehind(lab, 'g2', 'vg2')];
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(g1);
  await up(g2);
  await answers(lab.internet, await globalAddress(g1));
  const group = (...args: readonly string[]): Promise<string> =>
    lab.host.ok(program('ndproxy'), ['group', ...args, '--state-dir', STATE]);
  expect(await group('bind-if', 'vg2')).toBe('OK\n');
  expect(await group('add-if', 'vg2', 'main')).toBe('OK\n');
  const refused = await lab.host.run(program('ndproxy'), [
    'group',
    'add-if',
    'vg3',
    'main',
    '--state-dir',
    STATE,
  ]);
  expect(refused).toMatchObject({
    code: 1,
    stderr: "ndproxy: Does Not Exist: interface 'vg3' is not bound\n",
  });
  const address = await globalAddress(g2);
  const trace = lab.host.spawn(program('ndproxy'), ['trace', address, '--state-dir', STATE]);
  await until('the trace tells of a solicitation', async () => {
    await lab.lanhost.shell('ip -6 neigh flush dev eth0');
    await answers(lab.lanhost, address);
    return /main .* on (eth0|vg2): NS .*forwarded/.test(trace.stdout);
  });
  expect(await group('release-group', 'main')).toBe('OK\n');
  await until('routes are gone', async () => (await lab.host.shell('ip -6 route show proto 81')) === '');
});

/** A bus that lets everybody call: what refuses is ndproxy itself. */
async function startOpenBus(): Promise<{ readonly DBUS_SYSTEM_BUS_ADDRESS: string }> {
  const policy = repository('apps/ndproxy/dbus/org.chromium.Portier.conf');
  writeFileSync(
    join(lab.host.shared, 'portier-bus.conf'),
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig><type>system</type><auth>EXTERNAL</auth><listen>unix:path=/run/lab/portier-bus</listen>
    <policy context="default"><allow user="*"/><deny own="*"/><allow send_type="method_call"/><allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/></policy>
    <include>${policy}</include>
    <policy context="default"><allow send_destination="org.chromium.Portier"/></policy></busconfig>`,
  );
  const bus = lab.host.spawn('dbus-daemon', [
    '--config-file=/run/lab/portier-bus.conf',
    '--nofork',
    '--nopidfile',
    '--print-address',
  ]);
  await bus.line('address', (line) => (line.includes('unix:path=') ? true : undefined));
  return { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/run/lab/portier-bus' };
}

labTest('groups are changed by D-Bus as by Portier, by root only', async () => {
  const guest = await guestBehind(lab, 'g1', 'vg1');
  const env = await startOpenBus();
  await startProxy(lab.host, ['--portier'], { env });
  const call = async (method: string, ...bytes: readonly number[]): Promise<string> => {
    const message = `array:byte:${bytes.map((byte) => `0x${byte.toString(16)}`).join(',')}`;
    const to = ['--system', '--print-reply', '--dest=org.chromium.Portier', '/org/chromium/Portier'];
    return lab.host.ok('dbus-send', [...to, `org.chromium.Portier.${method}`, message], { env });
  };
  const text = (field: number, value: string): readonly number[] => [
    (field << 3) | 2,
    value.length,
    ...new TextEncoder().encode(value),
  ];
  const SUCCESS = /08 01/;
  expect(await call('CreateProxyGroup', ...text(1, 'lan'))).toMatch(SUCCESS);
  for (const ifname of ['eth0', 'vg1'])
    expect(await call('BindInterface', ...text(1, ifname))).toMatch(SUCCESS);
  expect(await call('AddToGroup', ...text(1, 'eth0'), ...text(2, 'lan'), 0x18, 1)).toMatch(SUCCESS);
  expect(await call('AddToGroup', ...text(1, 'vg1'), ...text(2, 'lan'), 0x18, 0)).toMatch(SUCCESS);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
  const nobody = await lab.host.run(
    'setpriv',
    [
      '--reuid',
      '65534',
      '--clear-groups',
      'dbus-send',
      '--system',
      '--print-reply',
      '--dest=org.chromium.Portier',
      '/org/chromium/Portier',
      'org.chromium.Portier.GetState',
    ],
    { env },
  );
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('only root may') as string });
});
