import { MemoryLog } from '@pp/base/testing';
import { describeOnKernel, kernelMissing } from '@pp/netlink/testing';
import type { DeadConnections } from '@pp/ports';
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

  const forget = (dead: Partial<DeadConnections>): Promise<void> =>
    connections.forget({ pinned: [], addressed: [], guests: [], udp: [], lookups: [], ...dead });

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
    await forget({ pinned: [{ ifindex: 2, family: null }] });
    expect(listed()).toEqual(ALL_OF(4002));
  });

  test('those of one family', async () => {
    await forget({ pinned: [{ ifindex: 2, family: 'ipv4' }] });
    expect(listed()).toEqual(['2001:db8::1 4001', ...ALL_OF(4002)].sort());
  });

  test('those of an address, pinned to the interface that has lost it', async () => {
    await forget({ addressed: [{ ifindex: 3, address: '192.0.2.1' }] });
    expect(listed()).toEqual([...ALL_OF(4001), '127.0.0.1 4002', '2001:db8::1 4002'].sort());
  });

  test('of an interface that nothing is pinned to there are none', async () => {
    await forget({
      pinned: [{ ifindex: 9, family: null }],
      addressed: [{ ifindex: 9, address: '192.0.2.1' }],
    });
    expect(listed()).toHaveLength(6);
  });

  const allBut = (...gone: readonly string[]): readonly string[] =>
    [...ALL_OF(4001), ...ALL_OF(4002)].filter((each) => !gone.includes(each)).sort();

  const byEnds = kernelMissing(6, 12) === undefined ? test : test.skip;

  byEnds('those that are answered by a guest that is gone', async () => {
    await forget({ guests: ['192.0.2.1'] });
    expect(listed()).toEqual(allBut('192.0.2.1 4001', '192.0.2.1 4002'));
  });

  byEnds('those that were begun by one', async () => {
    host.run('bash', ['-c', 'echo x | socat - UDP:127.0.0.1:4002,bind=127.0.0.9 2> /dev/null || true']);
    expect(listed()).toHaveLength(7);
    await forget({ guests: ['127.0.0.9'] });
    expect(listed()).toEqual(allBut());
  });

  byEnds('those of UDP to a port of an address', async () => {
    await forget({ udp: [{ address: '192.0.2.1', port: 4001 }] });
    expect(listed()).toEqual(allBut('192.0.2.1 4001'));
  });

  byEnds('lookups of names by an address', async () => {
    send('127.0.0.1', 53);
    send('192.0.2.1', 53);
    expect(listed()).toHaveLength(8);
    await forget({ lookups: ['127.0.0.1'] });
    expect(listed()).toEqual([...allBut(), '192.0.2.1 53'].sort());
  });
});
