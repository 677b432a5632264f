import {
  ApiClient,
  eventOf,
  labTest,
  reaches,
  STANDARD,
  standardLab,
  startManager,
  type Host,
  type Manager,
} from '@pp/lab';

/** Networks of other programs on the same host live on through our start and our end. */

/** As Docker makes its own when it finds that the host forwards already. */
async function containerOn(lab: Awaited<ReturnType<typeof standardLab>>) {
  const container = await lab.guest('container');
  await lab.host.shell(`
    ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
    ip link add veth4711 master docker0 type veth peer name eth0 netns ${container.pid}; ip link set veth4711 up
    nft add table ip nat; nft 'add chain ip nat POSTROUTING { type nat hook postrouting priority 100; }'
    nft add rule ip nat POSTROUTING ip saddr 172.17.0.0/16 oifname != docker0 masquerade`);
  await container.shell(
    'ip addr add 172.17.0.2/16 dev eth0; ip link set eth0 up; ip route add default via 172.17.0.1',
  );
  return container;
}

const forwards = async (host: Host): Promise<string> =>
  (await host.ok('cat', ['/proc/sys/net/ipv4/ip_forward'])).trim();

const leftBy = ({ process }: Manager): readonly string[] =>
  process
    .output()
    .split('\n')
    .filter((line) => eventOf(line) === 'forwarding.left');

labTest('who came while this host forwarded for guests keeps the network when the manager ends', async () => {
  const lab = await standardLab();
  try {
    const { host } = lab;
    const manager = await startManager(host);
    const client = await ApiClient.open(lab.bus.outside);
    await client.connect({ pid: -1 });
    const container = await containerOn(lab);
    expect(await reaches(container, STANDARD.internet.v4)).toBe(true);
    client.close();
    await manager.stop();
    expect(await reaches(container, STANDARD.internet.v4)).toBe(true);
    expect(leftBy(manager)).toEqual([expect.stringContaining('"for":"docker0"')]);

    await host.shell('sysctl -qw net.ipv4.ip_forward=0'); // now it is one that does without
    const again = await startManager(host);
    expect(await forwards(host)).toBe('1');
    await again.stop();
    expect(await forwards(host)).toBe('0');

    await host.shell('sysctl -qw net.ipv4.ip_forward=1'); // and now a router: nothing of ours is left
    const third = await startManager(host);
    await third.stop();
    expect([await forwards(host), leftBy(third)]).toEqual(['1', []]);
  } finally {
    await lab.close();
  }
});

/** NordVPN's way: its sockets have a mark, their connections take it over, and only what has it comes in. */
const KNOWN_BY_MARK = `table inet vpn {
  chain remember { type filter hook postrouting priority mangle; meta mark 0xe1f1 ct mark set meta mark; }
  chain input { type filter hook input priority filter; meta l4proto icmp ct mark != 0xe1f1 drop; }
}`;

labTest('who knows its own connections by their whole mark knows them while the manager runs', async () => {
  const lab = await standardLab();
  try {
    const { host } = lab;
    const manager = await startManager(host);
    await host.shell(`nft -f - << 'END'\n${KNOWN_BY_MARK}\nEND`);
    const answered = async (mark: string): Promise<boolean> =>
      (await host.run('ping', ['-c', '1', '-W', '2', '-m', mark, STANDARD.internet.v4])).code === 0;
    expect([await answered(String(0xe1f1)), await answered('0')]).toEqual([true, false]);
    await manager.stop();
  } finally {
    await lab.close();
  }
});
