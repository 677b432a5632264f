import { MemoryLog } from '@pp/base/testing';
import { describeOnKernel } from '@pp/netlink/testing';
import { NetlinkConnections } from './netlink-connections';
import { TestHost } from './testing';

/** What pins connections, by the port that they go to: 1002 is the table of ifindex 2, 1003 that of 3. */
const PINS = `table inet pins {
  chain out {
    type filter hook output priority mangle;
    udp dport 4001 ct mark set 0x03ea0400
    udp dport 4002 ct mark set 0x03eb0400
  }
}`;

describeOnKernel('the connection table', (native) => {
  let host: TestHost;
  let connections: NetlinkConnections;
  let log: MemoryLog;

  beforeEach(() => {
    host = new TestHost(native);
    host.ip('addr add 192.0.2.1/32 dev lo');
    host.ip('addr add 2001:db8::1/128 dev lo nodad');
    host.run('sh', ['-c', `nft -f - <<'EOT'\n${PINS}\nEOT`]);
    for (const port of [4001, 4002])
      for (const to of ['127.0.0.1', '192.0.2.1', '[2001:db8::1]']) send(to, port);
    log = new MemoryLog();
    connections = new NetlinkConnections({ native, log, netnsFd: host.fd });
  });

  afterEach(() => {
    connections.close();
    host.close();
    expect(log.lines).toEqual([]);
  });

  const send = (to: string, port: number): string =>
    host.run('bash', ['-c', `echo x > /dev/udp/${to.replace(/[[\]]/g, '')}/${port}`]);

  /** Destination and port of each, as conntrack(8) lists them. */
  const listed = (): readonly string[] =>
    host
      .run('sh', ['-c', 'conntrack -L -f ipv4 2>/dev/null; conntrack -L -f ipv6 2>/dev/null'])
      .split('\n')
      .flatMap((line) => {
        const [, dst, port] = /dst=(\S+) .*?dport=(\d+)/.exec(line) ?? [];
        return dst === undefined ? [] : [`${dst} ${port}`];
      })
      .sort();

  const ALL_OF = (port: number): readonly string[] => [
    `127.0.0.1 ${port}`,
    `192.0.2.1 ${port}`,
    `2001:db8::1 ${port}`,
  ];

  test('those pinned to an interface that is gone', async () => {
    expect(listed()).toEqual([...ALL_OF(4001), ...ALL_OF(4002)].sort());
    await connections.forget({ pinned: [{ ifindex: 2, family: null }], addressed: [] });
    expect(listed()).toEqual(ALL_OF(4002));
  });

  test('those of one family', async () => {
    await connections.forget({ pinned: [{ ifindex: 2, family: 'ipv4' }], addressed: [] });
    expect(listed()).toEqual(['2001:db8::1 4001', ...ALL_OF(4002)].sort());
  });

  test('those of an address, pinned to the interface that has lost it', async () => {
    await connections.forget({ pinned: [], addressed: [{ ifindex: 3, address: '192.0.2.1' }] });
    expect(listed()).toEqual([...ALL_OF(4001), '127.0.0.1 4002', '2001:db8::1 4002'].sort());
  });

  test('of an interface that nothing is pinned to there are none', async () => {
    await connections.forget({
      pinned: [{ ifindex: 9, family: null }],
      addressed: [{ ifindex: 9, address: '192.0.2.1' }],
    });
    expect(listed()).toHaveLength(6);
  });
});
