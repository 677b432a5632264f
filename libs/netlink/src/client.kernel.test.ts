/** The same rows on a socket whose kernel is a script and on Linux: so the script is no opinion of our own. */
import { KernelError } from '@pp/base';
import type { NetlinkClient } from './client';
import { NetlinkClient as Client } from './client';
import { isUp } from './rt/link';
import { addLink, delLink, delLinkGroup, dumpLinks, getLink, setLink } from './rt/link-requests';
import type { NewLink } from './rt/link-requests';
import { describeOnKernel, scripted, scriptedLinks, TestNetns } from './testing';

const bridge = (ifname: string, group = 0): NewLink => ({ ifname, group, kind: { name: 'bridge' } });

/** Codes and labels of refusals, names of what was shown. */
const words = (result: unknown): unknown =>
  result instanceof KernelError ? `${result.request}: ${result.code}` : 'done';

const names = async (client: NetlinkClient): Promise<readonly string[]> =>
  (await client.dump(dumpLinks())).map(({ ifname }) => ifname);

interface Row {
  readonly name: string;
  readonly run: (client: NetlinkClient) => Promise<unknown>;
  readonly want: unknown;
}

const rows: readonly Row[] = [
  { name: 'a new namespace has lo', run: names, want: ['lo'] },
  {
    name: 'what is added is there',
    run: async (client) => {
      await client.request(addLink(bridge('br0', 7)));
      const { ifname, group, kind, alias } = await client.get(getLink('br0'));
      return [await names(client), { ifname, group, kind, alias }];
    },
    want: [['lo', 'br0'], { ifname: 'br0', group: 7, kind: 'bridge', alias: '' }],
  },
  {
    name: 'an unknown name, an unknown ifindex',
    run: async (client) =>
      (
        await client.requestMany([getLink('br9'), getLink(999), setLink(999, { group: 1 }), delLink(999)])
      ).map(words),
    want: [
      'link.get br9: ENODEV',
      'link.get #999: ENODEV',
      'link.set #999 group 1: ENODEV',
      'link.del #999: ENODEV',
    ],
  },
  {
    name: 'a name that is taken',
    run: async (client) =>
      (await client.requestMany([addLink(bridge('br0')), addLink(bridge('br0'))])).map(words),
    want: ['done', 'link.add br0 type bridge: EEXIST'],
  },
  {
    name: 'a batch goes on after a refusal',
    run: async (client) => {
      const results = await client.requestMany([
        addLink(bridge('br0')),
        addLink(bridge('lo')),
        addLink(bridge('br1')),
      ]);
      return [results.map(words), await names(client)];
    },
    want: [
      ['done', 'link.add lo type bridge: EEXIST', 'done'],
      ['lo', 'br0', 'br1'],
    ],
  },
  {
    name: 'alias and group are set by ifindex',
    run: async (client) => {
      await client.request(addLink(bridge('br0')));
      const { ifindex } = await client.get(getLink('br0'));
      await client.request(setLink(ifindex, { alias: 'patchpanel:x', group: 9 }));
      const { alias, group } = await client.get(getLink(ifindex));
      return { alias, group };
    },
    want: { alias: 'patchpanel:x', group: 9 },
  },
  {
    name: 'a group goes at once, the others stay; an empty group is refused',
    run: async (client) => {
      const all = Array.from({ length: 3 }, (_, index) => addLink(bridge(`br${index}`, 5)));
      await client.requestMany([...all, addLink(bridge('stays', 6))]);
      await client.request(delLinkGroup(5));
      return [
        await names(client),
        words(await client.request(delLinkGroup(5)).catch((error: unknown) => error)),
      ];
    },
    want: [['lo', 'stays'], 'link.del group 5: ENODEV'],
  },
  {
    name: 'dumps and requests at once do not mix',
    run: async (client) => {
      await client.request(addLink(bridge('br0')));
      const [before, one, none, after] = await Promise.all([
        names(client),
        client.get(getLink('br0')),
        client.get(getLink('br9')).catch(words),
        names(client),
      ]);
      return [before, one.ifname, none, after];
    },
    want: [['lo', 'br0'], 'br0', 'link.get br9: ENODEV', ['lo', 'br0']],
  },
];

describe('scripted', () => {
  test.each(rows)('$name', async ({ run, want }) => {
    expect(await run(new Client(scripted(scriptedLinks()).open))).toEqual(want);
  });
});

describeOnKernel('Linux', (native) => {
  test.each(rows)('$name', async ({ run, want }) => {
    const netns = new TestNetns(native);
    try {
      expect(await run(netns.client('route'))).toEqual(want);
    } finally {
      netns.close();
    }
  });

  test('the kernel gives its reason', async () => {
    const netns = new TestNetns(native);
    try {
      const client = netns.client('route');
      const refused = await client
        .request(addLink({ ...bridge('br0'), mtu: 7 }))
        .catch((error: unknown) => error);
      expect(String(refused)).toBe(
        'KernelError: link.add br0 type bridge: EINVAL (mtu less than device minimum)',
      );
    } finally {
      netns.close();
    }
  });

  test('a link that is up', async () => {
    const netns = new TestNetns(native);
    try {
      const client = netns.client('route');
      await client.request(addLink({ ...bridge('br0'), up: true }));
      expect(isUp(await client.get(getLink('br0')))).toBe(true);
    } finally {
      netns.close();
    }
  });
});
