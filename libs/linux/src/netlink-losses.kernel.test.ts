import { MemoryLog } from '@pp/base/testing';
import { describeOnKernel, until } from '@pp/netlink/testing';
import type { DatapathLoss } from '@pp/ports';
import { NetlinkLosses } from './netlink-losses';
import { SystemClock } from './system-clock';
import { TestHost } from './testing';

describeOnKernel('news of losses', (native) => {
  let host: TestHost;
  let news: NetlinkLosses;
  let heard: DatapathLoss[];

  beforeEach(async () => {
    host = new TestHost(native);
    host.ip('link add eth0 type veth peer name wire');
    host.ip('link set eth0 up');
    heard = [];
    news = new NetlinkLosses({ native, clock: new SystemClock(), log: new MemoryLog(), netnsFd: host.fd });
    await news.start((loss) => heard.push(loss));
  });

  afterEach(() => {
    news.close();
    host.close();
  });

  const rows: readonly {
    readonly name: string;
    readonly before: readonly string[];
    readonly then: string;
    readonly want: DatapathLoss;
  }[] = [
    {
      name: 'a rule of ours',
      before: ['rule add fwmark 0x3ea0000/0xffff0000 lookup 1002 pref 1010 protocol 80'],
      then: 'rule del pref 1010',
      want: { on: 'rule', family: 'ipv4', priority: 1010 },
    },
    {
      name: 'a route of ours',
      before: ['route add 192.0.2.0/24 dev eth0 table 1002 proto 80'],
      then: 'route flush table 1002',
      want: { on: 'route', dst: '192.0.2.0/24', table: 1002 },
    },
    {
      name: 'an address',
      before: ['addr add 192.0.2.1/24 dev eth0'],
      then: 'addr del 192.0.2.1/24 dev eth0',
      want: { on: 'address', cidr: '192.0.2.1/24' },
    },
    { name: 'a link of others goes down', before: [], then: 'link set eth0 down', want: { on: 'uplink' } },
    {
      name: 'a link of ours goes',
      before: ['link add br0 group 20560 type bridge'],
      then: 'link del br0',
      want: { on: 'link', ifname: 'br0' },
    },
  ];

  for (const { name, before, then, want } of rows) {
    test(`told: ${name}`, async () => {
      for (const words of before) host.ip(words);
      heard.length = 0;
      host.ip(then);
      await until('it is told', () => heard.some((loss) => JSON.stringify(loss) === JSON.stringify(want)));
    });
  }

  test('what comes, and what others lose of their own, is not told', async () => {
    host.ip('link add br0 group 20560 type bridge');
    host.ip('link set br0 up');
    host.ip('route add 192.0.2.0/24 dev eth0');
    host.ip('route del 192.0.2.0/24 dev eth0');
    host.ip('rule add fwmark 7 lookup 7 pref 7');
    host.ip('rule del pref 7');
    host.run('nft', ['add', 'table', 'inet', 'others']);
    host.run('nft', ['delete', 'table', 'inet', 'others']);
    host.run('nft', ['add', 'table', 'inet', 'patchpanel']);
    host.run('nft', ['flush', 'ruleset']);
    await until('the table', () => heard.length > 0);
    expect(heard).toEqual([{ on: 'table' }]);
  });
});
