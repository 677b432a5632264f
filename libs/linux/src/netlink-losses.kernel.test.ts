import { KernelError } from '@pp/base';
import { MemoryLog } from '@pp/base/testing';
import { replacedRulesetText, rulesetText, type Op } from '@pp/datapath';
import { describeOnKernel, until } from '@pp/netlink/testing';
import type { DatapathLoss, DatapathNews } from '@pp/ports';
import { LinuxKernel } from './linux-kernel';
import { NetlinkLosses } from './netlink-losses';
import { NftWriters } from './nft-writers';
import { SystemClock, TestHost } from './testing';

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
    const by = expect.stringMatching(/^nft \(pid \d+\)$/) as string;
    await until('the table', () => heard.length > 1);
    expect(heard).toEqual([
      { on: 'edit', by, adds: true }, // which is not ours
      { on: 'table', by },
    ]);
  });

  describe('of our table', () => {
    const SHAPE = { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: ['100.115.92.0/23'] };
    const LOAD: Op = { do: 'nft.load', text: rulesetText(SHAPE, [], []), was: null };
    const GUEST = { set: 'guests', key: ['arc_ns0'] };
    let kernel: LinuxKernel;
    let edits: DatapathNews;

    const nft = (command: string): void => {
      host.run('nft', command.split(' '));
    };
    /** Told of after everything before. */
    const lastWord = (): Promise<unknown> => {
      nft('add counter inet patchpanel last');
      return until('the last word', () => heard.some((loss) => loss.on === 'edit' && loss.adds));
    };

    beforeEach(async () => {
      const writers = new NftWriters();
      const common = { native, clock: new SystemClock(), log: new MemoryLog(), netnsFd: host.fd, writers };
      kernel = new LinuxKernel({ ...common, netnsDirectory: host.netnsDirectory });
      edits = new NetlinkLosses(common);
      news.close();
      await edits.start((loss) => heard.push(loss));
      expect(await kernel.apply([LOAD])).toEqual(['done']);
      heard.length = 0;
    });

    afterEach(() => {
      edits.close();
      kernel.close();
    });

    test('what we do ourselves is not told, nor what others do to tables of their own', async () => {
      for (const ops of [
        [{ do: 'nft.elements', add: [GUEST], del: [] }],
        [{ do: 'nft.elements', add: [], del: [GUEST] }],
        [LOAD],
        [{ do: 'nft.load', text: replacedRulesetText(SHAPE, [GUEST]), was: null }],
      ] as const)
        expect(await kernel.apply(ops)).toEqual(['done']);
      nft('add table inet others');
      nft('add chain inet others guard');
      nft('add rule inet others guard drop');
      nft('flush chain inet others guard');
      nft('delete table inet others');
      await lastWord();
      expect(heard).toHaveLength(1);
    });

    const EDITS: readonly { readonly name: string; readonly then: string; readonly adds?: boolean }[] = [
      { name: 'a rule is added', then: 'add rule inet patchpanel guard accept' },
      { name: 'a chain is flushed', then: 'flush chain inet patchpanel guard' },
      { name: 'all chains are flushed', then: 'flush table inet patchpanel' },
      { name: 'an element is deleted', then: 'delete element inet patchpanel uplinks { eth0 }' },
      { name: 'an element is added', then: 'add element inet patchpanel guests { evil0 }' },
      { name: 'a set is flushed', then: 'flush set inet patchpanel uplinks' },
      { name: 'a chain is added', then: 'add chain inet patchpanel evil', adds: true },
      { name: 'a set is added', then: 'add set inet patchpanel evil { type mark; }', adds: true },
      {
        name: 'the policy of a chain is changed',
        then: 'add chain inet patchpanel guard { policy drop; }',
        adds: true,
      },
      {
        name: 'the table is put to sleep',
        then: 'add table inet patchpanel { flags dormant; }',
        adds: true,
      },
    ];

    test.each(EDITS)('told once, by whom: $name', async ({ then, adds = false }) => {
      const by = expect.stringMatching(/^nft \(pid \d+\)$/) as string;
      nft(then);
      await until('it is told', () => heard.length > 0);
      expect(heard).toEqual([{ on: 'edit', by, adds }]);
    });

    const listed = (): string =>
      host.run('nft', ['list', 'table', 'inet', 'patchpanel']).replace(/packets \d+ bytes \d+/g, '');

    test.each([
      ...EDITS,
      { name: 'a chain is at another hook', then: 'delete chain inet patchpanel lock', adds: false },
    ])(
      'loading the table again, over it or in its place, undoes it: $name',
      async ({ then, adds = false }) => {
        const before = listed();
        nft(then);
        if (then.endsWith(' lock')) {
          nft('add chain inet patchpanel lock { type filter hook input priority 9; }');
          const [outcome] = await kernel.apply([LOAD]);
          expect(outcome).toBeInstanceOf(KernelError); // it cannot be loaded over
        }
        const isOver = !adds && !then.endsWith(' lock');
        const text = isOver ? LOAD.text : replacedRulesetText(SHAPE, []);
        expect(await kernel.apply([{ do: 'nft.load', text, was: null }])).toEqual(['done']);
        expect(listed()).toBe(before);
      },
    );
  });
});
