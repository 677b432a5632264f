import {
  hostListing,
  labForEach,
  labMissing,
  labTest,
  listingDifference,
  program,
  secondUidMissing,
  STANDARD,
  until,
  type StandardLab,
} from '@pp/lab';
import {
  broadcast,
  Ear,
  guestBehind,
  isAnswered,
  relayStatus,
  serves,
  startPong,
  startRelay,
  STATE,
} from './bcast-rig';

/*
 * lan: lanhost 192.168.77.20, host eth0 192.168.77.2 -- bcast-fwd -- vg1: g1 100.115.92.26, vg2: g2 100.115.92.30
 */

const LAN_HOST = STANDARD.lanhost.v4;
const HOST = STANDARD.host.v4;

let lab: StandardLab;

labForEach((opened) => (lab = opened));

labTest('broadcasts cross both ways, answers come back, and nothing is left behind', async () => {
  const [g1, g2] = [await guestBehind(lab, 'g1', 'vg1', 25), await guestBehind(lab, 'g2', 'vg2', 29)];
  const before = await hostListing(lab.host);
  const relay = await startRelay(lab.host, ['eth0', 'vg*']);
  const [atLan, at1, at2] = [await Ear.at(lab.lanhost), await Ear.at(g1), await Ear.at(g2)];

  await broadcast(lab.lanhost, { text: 'limited' });
  expect(await at1.hears('limited')).toBe(`${LAN_HOST}.5000 > 255.255.255.255.6969 [udp sum ok]`);
  expect(await at2.hears('limited')).toBe(`${LAN_HOST}.5000 > 255.255.255.255.6969 [udp sum ok]`);
  await broadcast(lab.lanhost, { text: 'directed', to: '192.168.77.255' });
  expect(await at1.hears('directed')).toBe(`${LAN_HOST}.5000 > 100.115.92.27.6969 [udp sum ok]`);
  expect(await at2.hears('directed')).toBe(`${LAN_HOST}.5000 > 100.115.92.31.6969 [udp sum ok]`);

  await broadcast(g1, { text: 'from g1' });
  expect(await atLan.hears('from g1')).toBe(`${HOST}.5000 > 255.255.255.255.6969 [udp sum ok]`);
  await broadcast(g2, { text: 'from g2', to: '100.115.92.31' });
  expect(await atLan.hears('from g2')).toBe(`${HOST}.5000 > 192.168.77.255.6969 [udp sum ok]`);
  expect([...at1.packets('from g2'), ...at2.packets('from g1')]).toEqual([]);

  const server = startPong(lab.lanhost);
  await until('the guest to be answered', () => isAnswered(g1));
  await server.stop();

  const { interfaces, pairs, follows, replies } = await relayStatus(lab.host);
  expect(follows).toBe('the command line');
  expect(interfaces.map(({ ifname, state }) => `${ifname} ${state}`)).toEqual([
    'eth0 relayed',
    'vg1 relayed',
    'vg2 relayed',
  ]);
  expect(pairs).toContainEqual({ from: 'eth0', to: 'vg2', count: 2 });
  expect(replies).toBeGreaterThan(0);
  expect((await relay.stop()).code).toBe(0);
  expect(listingDifference(before, await hostListing(lab.host))).toEqual([]);
});

labTest('fragments, ports below 1024, magic packets, and a trace that says why', async () => {
  const g1 = await guestBehind(lab, 'g1', 'vg1', 25);
  await startRelay(lab.host, ['--wake-on-lan', '--ports', '6969,137-138', 'eth0', 'vg1']);
  await lab.host.shell('ip link set vg1 mtu 1000');
  const trace = lab.host.spawn(program('bcast-fwd'), ['trace', LAN_HOST, '--state-dir', STATE]);
  const received = g1.spawn('socat', ['-u', 'UDP4-RECV:6969', '-']);
  const at1 = await Ear.at(g1, 'eth0', 'udp');
  await until('the long one to arrive whole, and to be traced', async () => {
    await broadcast(lab.lanhost, { text: `${'x'.repeat(4000)}end` });
    return received.stdout.includes(`${'x'.repeat(4000)}end`) && trace.stdout !== '';
  });
  await broadcast(lab.lanhost, { text: 'names', port: 137, sourcePort: 137 });
  await at1.hears('names');
  const magic = Buffer.concat([
    Buffer.alloc(6, 0xff),
    ...Array<Buffer>(16).fill(Buffer.from('abcdef')),
  ]).toString('latin1');
  await lab.lanhost.shell(
    `printf '\\377\\377\\377\\377\\377\\377${magic.slice(6)}' | socat -u - UDP4-DATAGRAM:255.255.255.255:9,broadcast,so-bindtodevice=eth0`,
  );
  await at1.hears('abcdefabcdef');
  await broadcast(lab.lanhost, { text: 'no magic', port: 9 });
  await broadcast(lab.lanhost, { text: 'unlisted', port: 6970 });
  await broadcast(lab.lanhost, { text: 'dhcp', port: 67 });
  await until('the trace to tell of all', () => trace.stdout.includes(':67, 4 bytes'));
  const lines = trace.stdout.split('\n');
  expect(lines).toContain(
    `in on eth0: ${LAN_HOST}:137 > 255.255.255.255:137, 5 bytes: forwarded to vg1 as ${LAN_HOST}:137 > 255.255.255.255`,
  );
  expect(lines).toContain(
    `in on eth0: ${LAN_HOST}:5000 > 255.255.255.255:9, 8 bytes: dropped port (a port that is not in --ports)`,
  );
  expect(lines).toContain(
    `in on eth0: ${LAN_HOST}:5000 > 255.255.255.255:67, 4 bytes: dropped dhcp (DHCP is never relayed)`,
  );
  expect([...at1.packets('no magic'), ...at1.packets('unlisted'), ...at1.packets('dhcp')]).toEqual([]);
});

labTest('addresses and interfaces change while it runs', async () => {
  const g1 = await guestBehind(lab, 'g1', 'vg1', 25);
  await startRelay(lab.host, ['eth0', 'vg*']);
  const atLan = await Ear.at(lab.lanhost);
  const addresses = async (ifname: string): Promise<string> =>
    (await relayStatus(lab.host)).interfaces.find((each) => each.ifname === ifname)?.addresses?.join() ??
    'none';

  await lab.host.shell('ip addr flush dev eth0; ip addr add 10.77.0.2/16 brd 10.77.99.99 dev eth0');
  await lab.lanhost.shell('ip addr add 10.77.0.20/16 dev eth0');
  await until('the new address', async () => (await addresses('eth0')) === '10.77.0.2');
  await broadcast(g1, { text: 'from the new one', to: '100.115.92.27' });
  expect(await atLan.hears('from the new one')).toBe('10.77.0.2.5000 > 10.77.99.99.6969 [udp sum ok]');

  await lab.host.shell('ip addr flush dev eth0');
  await until('no address', async () => (await addresses('eth0')) === '');
  let at1 = await Ear.at(g1);
  await broadcast(lab.lanhost, { text: 'to one without' });
  expect(await at1.hears('to one without')).toBe('192.168.77.20.5000 > 255.255.255.255.6969 [udp sum ok]');

  await lab.host.shell('ip link del vg1');
  await until('it is awaited', async () =>
    (await relayStatus(lab.host)).interfaces.some(
      ({ ifname, state }) => `${ifname} ${state}` === 'vg* absent',
    ),
  );
  const again = await guestBehind(lab, 'again', 'vg7', 25);
  at1 = await Ear.at(again);
  await until('the new guest to hear', async () => {
    await broadcast(lab.lanhost, { text: 'welcome' });
    return at1.packets('welcome').length > 0;
  });
});

labTest(
  'it needs no privilege but CAP_NET_RAW, and neither root nor its groups',
  async () => {
    const g1 = await guestBehind(lab, 'g1', 'vg1', 25);
    await lab.host.shell('mkdir -m 777 /run/lab/nobody');
    const caps = [
      '--bounding-set',
      '-all,+net_raw',
      '--inh-caps',
      '-all,+net_raw',
      '--ambient-caps',
      '-all,+net_raw',
    ];
    const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', ...caps, program('bcast-fwd')];
    const relay = lab.host.spawn('setpriv', [...args, '--state-dir', '/run/lab/nobody', 'eth0', 'vg1']);
    await relay.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
    await serves(lab.host, '/run/lab/nobody');
    const [atLan, at1] = [await Ear.at(lab.lanhost), await Ear.at(g1)];
    await broadcast(lab.lanhost, { text: 'in' });
    await at1.hears('in');
    await broadcast(g1, { text: 'out', sourcePort: 40_000 });
    await atLan.hears('out');
    expect((await relayStatus(lab.host, '/run/lab/nobody')).sessions).toBe(1);
    expect((await relay.stop()).code).toBe(0);
  },
  labMissing() ?? secondUidMissing(),
);

labTest('killed, it leaves nothing, and the next one serves', async () => {
  const g1 = await guestBehind(lab, 'g1', 'vg1', 25);
  const before = await hostListing(lab.host);
  const first = await startRelay(lab.host, ['eth0', 'vg1']);
  const at1 = await Ear.at(g1);
  await broadcast(lab.lanhost, { text: 'one' });
  await at1.hears('one');
  await broadcast(g1, { text: 'held', sourcePort: 40_000 });
  await until('a port to be held', async () =>
    (await lab.host.ok('ss', ['-Hulpn'])).includes(`${HOST}%eth0:40000`),
  );
  first.kill('SIGKILL');
  await first.exited;
  expect(listingDifference(before, await hostListing(lab.host))).toEqual([]);
  expect(await lab.host.ok('ss', ['-Hulpn'])).not.toContain(':40000');
  expect(await lab.host.ok('ip', ['-d', 'link', 'show'])).not.toMatch(/allmulti [1-9]|promiscuity [1-9]/);
  await startRelay(lab.host, ['eth0', 'vg1']);
  await broadcast(lab.lanhost, { text: 'two' });
  await at1.hears('two');
});

labTest('two relays in parallel settle: each side hears a broadcast twice at most', async () => {
  const second = await lab.lab.host('second');
  const guest = await lab.lab.host('g1');
  await lab.lab.plug(second, 'lan', {
    ifname: 'eth0',
    mac: '02:50:50:00:77:03',
    addresses: ['192.168.77.3/24'],
  });
  const members = [lab.host, second, guest];
  for (const [i, place] of members.entries())
    await lab.lab.plug(place, 'guests', {
      ifname: 'guests0',
      mac: `02:50:50:00:99:0${i + 1}`,
      addresses: [`10.99.0.${i + 1}/24`],
    });
  await startRelay(lab.host, ['eth0', 'guests0']);
  await startRelay(second, ['eth0', 'guests0']);
  const [atLan, atGuest] = [await Ear.at(lab.lanhost), await Ear.at(guest, 'guests0')];
  for (const sourcePort of [5000, 40_000]) {
    await broadcast(lab.lanhost, { text: `L${sourcePort}`, sourcePort });
    await broadcast(guest, { text: `G${sourcePort}`, sourcePort, device: 'guests0' });
  }
  await broadcast(lab.lanhost, { text: 'last of all' });
  await until('both to have passed on the last one', () => atGuest.packets('last of all').length >= 2);
  await broadcast(guest, { text: 'and back', device: 'guests0' });
  await until('both to have passed it back', () => atLan.packets('and back').length >= 2);
  for (const sourcePort of [5000, 40_000]) {
    expect(atGuest.packets(`L${sourcePort}`)).toHaveLength(2);
    expect(atLan.packets(`G${sourcePort}`)).toHaveLength(2);
    expect(atGuest.packets(`G${sourcePort}`)).toEqual([]); // no echo
    expect(atLan.packets(`L${sourcePort}`)).toEqual([]);
  }
  for (const place of [lab.host, second]) {
    const { received, drops } = await relayStatus(place);
    expect(received).toBeLessThan(30);
    expect(drops.map(({ reason }) => reason)).toContain('looped');
  }
});

labTest(
  'malformed and off-link broadcasts and a flood are dropped and counted; others get through at once',
  async () => {
    const g1 = await guestBehind(lab, 'g1', 'vg1', 25);
    const relay = await startRelay(lab.host, ['eth0', 'vg1']);
    const at1 = await Ear.at(g1);
    const head = '\\377\\377\\377\\377\\377\\377\\002\\0\\0\\0\\0\\011\\010\\0';
    const frames = [
      'E\\0\\0\\041\\0\\0\\0\\0\\100\\021\\0\\0\\300\\250\\115\\024\\377\\377\\377\\377aaaaaaaaaaaaaaaaaaaaaaaa', // checksum
      'e\\0\\0\\041\\0\\0\\0\\0\\100\\021\\0\\0\\300\\250\\115\\024\\377\\377\\377\\377aaaaaaaaaaaaaaaaaaaaaaaa', // version
      'D\\0\\0\\041\\0\\0\\0\\0\\100\\021\\0\\0\\300\\250\\115\\024\\377\\377\\377\\377aaaaaaaaaaaaaaaaaaaaaaaa', // header length
    ];
    for (const frame of frames) await g1.shell(`printf '${head}${frame}' | socat -u - INTERFACE:eth0`); // the LAN's bridge would drop them
    await lab.lanhost.shell('ip addr add 172.31.0.1/24 dev eth0');
    await lab.lanhost.shell(
      'echo off-link | socat -u - UDP4-DATAGRAM:255.255.255.255:6969,broadcast,so-bindtodevice=eth0,bind=172.31.0.1:5000',
    );
    const rss = async (): Promise<number> =>
      Number(/VmRSS:\s+(\d+)/.exec(await lab.host.shell(`cat /proc/${relay.pid}/status`))?.[1]);
    await lab.lanhost.run('timeout', [
      '3',
      'socat',
      '-u',
      '-b20',
      '/dev/zero',
      'UDP4-DATAGRAM:255.255.255.255:6969,broadcast,so-bindtodevice=eth0',
    ]);
    await broadcast(g1, { text: 'afterwards' });
    const { drops, received, forwarded } = await relayStatus(lab.host);
    const reasons = drops.map(({ reason }) => reason);
    expect(reasons).toEqual(
      expect.arrayContaining(['ip-checksum', 'ip-version', 'ip-length', 'off-link', 'rate']),
    );
    expect(received).toBeGreaterThan(2 * forwarded); // how many it can be is the machine's
    expect(forwarded).toBeLessThan(10_000);
    expect(await rss()).toBeLessThan(200_000); // kB
    await until('the LAN to be heard again', async () => {
      await broadcast(lab.lanhost, { text: 'still there' });
      return at1.packets('still there').length > 0;
    });
    expect(at1.packets('off-link')).toEqual([]);
  },
);

labTest('a link without broadcast is sent to by its target, and its own broadcasts cross', async () => {
  const remote = await lab.guest('remote');
  const tun = (address: string, own: string, other: string): string[] => [
    `TUN:${address}/32,tun-name=tun0,tun-type=tun,iff-no-pi,iff-up,iff-noarp,iff-pointopoint`,
    `UNIX-SENDTO:/run/lab/${other},bind=/run/lab/${own}`,
  ];
  for (const place of [lab.host, remote])
    // whose messages would find nobody yet
    await place.shell('echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6');
  lab.host.spawn('socat', tun('10.9.0.1', 'tun-a', 'tun-b'));
  remote.spawn('socat', tun('10.9.0.2', 'tun-b', 'tun-a'));
  for (const place of [lab.host, remote])
    await until('tun0', async () => (await place.run('ip', ['link', 'show', 'tun0', 'up'])).stdout !== '');
  await remote.shell('ip route add default dev tun0');
  await startRelay(lab.host, ['--target', 'tun0=10.9.0.2', 'eth0', 'tun0']);
  const [atLan, atRemote] = [await Ear.at(lab.lanhost), await Ear.at(remote, 'tun0')];
  await broadcast(lab.lanhost, { text: 'into the tunnel' });
  expect(await atRemote.hears('into the tunnel')).toBe(`${LAN_HOST}.5000 > 10.9.0.2.6969 [udp sum ok]`);
  await broadcast(remote, { text: 'out of it', device: 'tun0' });
  expect(await atLan.hears('out of it')).toBe(`${HOST}.5000 > 255.255.255.255.6969 [udp sum ok]`);
});
