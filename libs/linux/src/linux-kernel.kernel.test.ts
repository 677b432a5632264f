/** What a KernelRow cannot say: the far end of a veth, remains of a crash, things of others under our names. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KernelError } from '@pp/base';
import { DOOMED_GROUP, LINK_GROUP, rulesetText, SETS } from '@pp/datapath';
import type { Element, Op, Veth } from '@pp/datapath';
import type { Native } from '@pp/native';
import { describeOnKernel } from '@pp/netlink/testing';
import { Ifindexes } from './ifindexes';
import { ADDRESS, BRIDGE, CONTRACT_ASK, NETNS, ROUTE, RULE, TAP, TestHost, VETH, withFree } from './testing';

const netns: Op = { do: 'netns.add', netns: NETNS };
const veth: Op = { do: 'link.add', link: VETH };
const delVeth: Op = { do: 'link.del', link: VETH };
const address: Op = { do: 'address.add', address: ADDRESS };
const tap: Op = { do: 'link.add', link: TAP };

describeOnKernel('LinuxKernel', (native) => {
  let host: TestHost;

  beforeEach(() => {
    host = new TestHost(native);
  });

  afterEach(() => {
    host.close();
  });

  const done = async (...ops: readonly Op[]): Promise<void> => {
    expect(await host.kernel.apply(ops)).toEqual(ops.map(() => 'done'));
  };
  const messages = async (...ops: readonly Op[]): Promise<readonly string[]> =>
    (await host.kernel.apply(ops)).map((outcome) =>
      outcome instanceof KernelError ? outcome.message : outcome,
    );
  const json = (words: string, name?: string): readonly Record<string, unknown>[] =>
    JSON.parse(host.ip(`-j ${words}`, name)) as readonly Record<string, unknown>[];
  const linkNames = (): readonly unknown[] => json('link show').map(({ ifname }) => ifname);

  test('a veth has one queue each way at both ends, however many CPUs there are', async () => {
    await done(netns, veth);
    const one = { num_tx_queues: 1, num_rx_queues: 1 };
    expect(json(`-d link show ${VETH.ifname}`)[0]).toMatchObject(one);
    expect(json(`-d link show ${VETH.peer.ifname}`, NETNS.name)[0]).toMatchObject(one);
  });

  describe('the far end of a veth', () => {
    test('has its name, MAC, address with broadcast and default route, is up and has no multicast', async () => {
      await done(netns, veth, address);
      const [link] = json(`address show dev ${VETH.peer.ifname}`, NETNS.name);
      expect(link).toMatchObject({ ifname: VETH.peer.ifname, address: VETH.peer.mac, mtu: 1500 });
      expect(link?.['flags']).toEqual(expect.arrayContaining(['UP', 'BROADCAST']));
      expect(link?.['flags']).not.toContain('MULTICAST');
      expect(link?.['addr_info']).toContainEqual(
        expect.objectContaining({ local: '100.115.92.130', prefixlen: 30, broadcast: '100.115.92.131' }),
      );
      expect(json('route show', NETNS.name)).toEqual([
        expect.objectContaining({ dst: 'default', gateway: '100.115.92.129', protocol: '80' }),
        expect.objectContaining({ dst: '100.115.92.128/30', prefsrc: '100.115.92.130' }),
      ]);
    });

    test('reaches the host', async () => {
      await done(netns, veth, address);
      expect(host.run('ping', ['-c', '1', '-W', '5', '100.115.92.129'], NETNS.name)).toContain('1 received');
    });

    test('that cannot be set up refuses the link, which is gone then', async () => {
      await done(netns);
      const bad: Veth = { ...VETH, peer: { ...VETH.peer, gateway: '192.0.2.1' } };
      const told = await messages({ do: 'link.add', link: bad }, address);
      const why = 'route.add 0.0.0.0/0 via 192.0.2.1 dev #N table 254 metric 0 in netns pptest_netns';
      expect(told.map((each) => each.replace(/#\d+/, '#N'))).toEqual([
        `link.add veth pptest_ns0: ${why}: ENETUNREACH (Nexthop has invalid gateway)`,
        'skipped',
      ]);
      expect(linkNames()).toEqual(['lo']);
    });
  });

  test('a link for which there are too few descriptors is gone again', async () => {
    await done(netns);
    const openNetlinkWorker: Native['openNetlinkWorker'] = (options) => {
      const worker = native.openNetlinkWorker(options);
      const run: typeof worker.run = (...job) => {
        withFree(native, 0, () => {
          worker.run(...job);
        });
      };
      return { ...worker, run };
    };
    const kernel = host.newKernel({ native: { ...native, openNetlinkWorker } });
    const outcomes = await kernel.apply([veth, address]).finally(() => {
      kernel.close();
    });
    expect(outcomes).toEqual([expect.objectContaining({ code: 'EMFILE' }), 'skipped']);
    expect(linkNames()).toEqual(['lo']);
    await done(veth, address);
  });

  describe("an ifindex that is somebody else's", () => {
    const TAKEN = [
      { name: 'here', where: undefined, index: 100_000 },
      { name: 'where the far end of a veth goes', where: NETNS.name, index: 100_001 },
      { name: 'that of a bridge, which is the second link of a run', where: undefined, index: 20_000 },
    ];

    test.each(TAKEN)('$name', async ({ where, index }) => {
      await done(netns);
      host.ip(`link add foreign0 index ${index} type veth peer name foreign1`, where);
      const before = json('link show dev foreign0', where);
      const bridge: Op = { do: 'link.add', link: BRIDGE };
      const kernel = host.newKernel({ ifindexes: new Ifindexes(() => 0) });
      expect(await kernel.apply([veth, bridge, address])).toEqual(['done', 'done', 'done']);
      kernel.close();
      expect(json('link show dev foreign0', where)).toEqual(before);
      expect(linkNames()).toEqual(expect.arrayContaining([VETH.ifname, BRIDGE.ifname]));
    });
  });

  describe('names of namespaces', () => {
    const own = { pid: process.pid, inode: statSync('/proc/self/ns/net').ino };

    test('that of a process', async () => {
      await done({ do: 'netns.add', netns: { name: NETNS.name, from: own } });
      expect((await host.kernel.observe(CONTRACT_ASK)).netns).toEqual([NETNS.name]);
    });

    test('that of a process that has another one now', async () => {
      const stale = { ...own, inode: own.inode + 1 };
      expect(await messages({ do: 'netns.add', netns: { name: NETNS.name, from: stale } })).toEqual([
        `netns.add pptest_netns: ESTALE (pid ${own.pid} has another namespace now)`,
      ]);
      expect((await host.kernel.observe(CONTRACT_ASK)).netns).toEqual([]);
    });

    test('that of a process that is not there', async () => {
      const absent = { name: NETNS.name, from: { pid: 2 ** 30, inode: 1 } };
      expect(await messages({ do: 'netns.add', netns: absent })).toEqual([expect.stringContaining('ESRCH')]);
    });

    test('one that is held open, of a process that is not there any more', async () => {
      const fd = native.createNetns();
      const { ino: inode } = native.fdIdentity(fd);
      const openNamespaces = { fdOf: (asked: number) => (asked === inode ? fd : null) };
      const kernel = host.newKernel({ openNamespaces });
      const gone: Op = { do: 'netns.add', netns: { name: NETNS.name, from: { pid: 2 ** 30, inode } } };
      expect(await kernel.apply([gone])).toEqual(['done']);
      kernel.close();
      expect(native.fdIdentity(fd).ino).toBe(inode); // it is still the holder's
      expect(statSync(join(host.netnsDirectory, NETNS.name)).ino).toBe(inode);
      native.closeFd(fd);
    });

    test('one that is taken: the link that was made for the new namespace is gone again', async () => {
      await done(netns);
      expect(await messages(netns, veth, address)).toEqual([
        expect.stringContaining('EEXIST'),
        'skipped',
        'skipped',
      ]);
      expect(linkNames()).toEqual(['lo']);
      expect(json('link show', NETNS.name).map(({ ifname }) => ifname)).toEqual(['lo']);
    });

    test('the empty file that a crash left is no namespace, and in nobody’s way', async () => {
      writeFileSync(join(host.netnsDirectory, NETNS.name), '');
      expect((await host.kernel.observe(CONTRACT_ASK)).netns).toEqual([]);
      await done(netns, veth);
      expect((await host.kernel.observe(CONTRACT_ASK)).netns).toEqual([NETNS.name]);
    });
  });

  describe('IPv4 settings of a new link', () => {
    const conf = (name: string, value: string): Op => ({
      do: 'sysctl.set',
      sysctl: { key: `net.ipv4.conf.${VETH.ifname}.${name}`, value },
      was: value,
      onlyIf: null,
    });

    test('are set, those that rtnetlink knows and those that it does not', async () => {
      const wanted = { accept_redirects: '0', send_redirects: '0', accept_local: '1', log_martians: '1' };
      await done(netns, veth, ...Object.entries(wanted).map(([name, value]) => conf(name, value)), address);
      const seen = host.run('sysctl', [
        '-n',
        ...Object.keys(wanted).map((name) => `net.ipv4.conf.${VETH.ifname}.${name}`),
      ]);
      expect(seen.trim().split('\n')).toEqual(Object.values(wanted));
    });

    test('are not done where the link is not there', async () => {
      await done(netns);
      const [first, ...rest] = await host.kernel.apply([netns, veth, conf('accept_local', '1')]);
      expect(first).toMatchObject({ code: 'EEXIST' });
      expect(rest).toEqual(['skipped', 'skipped']);
    });

    test('that are no numbers are refused', async () => {
      const [, , outcome] = await host.kernel.apply([netns, veth, conf('accept_local', 'x')]);
      expect(outcome).toMatchObject({ code: 'EINVAL' });
    });
  });

  describe('whose a link is', () => {
    test('it carries our group and our alias', async () => {
      await done(netns, veth, { do: 'link.add', link: BRIDGE }, tap);
      const ours = json('link show').filter(({ ifname }) => String(ifname).startsWith('pptest'));
      expect(new Map(ours.map(({ ifname, group, ifalias }) => [ifname, [group, ifalias]]))).toEqual(
        new Map([VETH, BRIDGE, TAP].map(({ ifname, alias }) => [ifname, [String(LINK_GROUP), alias]])),
      );
    });

    test('after a restart ours are known by either tag, and can be deleted', async () => {
      await done(netns, veth, { do: 'link.add', link: BRIDGE });
      host.ip(`link set ${VETH.ifname} group default`);
      host.ip(`link set ${BRIDGE.ifname} alias none`); // as if killed before it was named
      const restarted = host.newKernel();
      try {
        const { links } = await restarted.observe(CONTRACT_ASK);
        expect(new Set(links.map(({ ifname }) => ifname))).toEqual(new Set([VETH.ifname, BRIDGE.ifname]));
        expect(await restarted.apply([delVeth, { do: 'link.del', link: BRIDGE }])).toEqual(['done', 'done']);
      } finally {
        restarted.close();
      }
      expect(linkNames()).toEqual(['lo']);
    });

    test('without having looked, too', async () => {
      await done(netns, veth);
      const restarted = host.newKernel();
      try {
        expect(await restarted.apply([delVeth])).toEqual(['done']);
      } finally {
        restarted.close();
      }
    });

    test('one that has another name now is still ours', async () => {
      await done(netns, veth);
      host.ip(`link set ${VETH.ifname} down`);
      host.ip(`link set ${VETH.ifname} name renamed`);
      await done(delVeth);
      expect(linkNames()).toEqual(['lo']);
    });

    test('one of somebody else under the name of ours that is gone stays untouched', async () => {
      await done(netns, veth);
      host.ip(`link del ${VETH.ifname}`);
      host.ip(`link add ${VETH.ifname} type bridge`);
      expect(await messages(delVeth)).toEqual(['link.del pptest_ns0: ENODEV']);
      expect(await messages(delVeth)).toEqual([
        'link.del pptest_ns0: ENODEV (the interface named pptest_ns0 is not ours)',
      ]);
      expect(await messages(veth)).toEqual(['link.add veth pptest_ns0: EEXIST']);
      expect(json(`link show ${VETH.ifname}`)[0]).not.toHaveProperty('ifalias');
    });

    test('one of somebody else under the name of ours gets no address, but routes', async () => {
      await done(netns, veth);
      host.ip(`link del ${VETH.ifname}`);
      host.ip(`link add ${VETH.ifname} up type bridge`);
      const add = `address.add ${ADDRESS.cidr} dev ${ADDRESS.ifname}`;
      expect(await messages(address)).toEqual([`${add}: ENODEV (ipv4: Device not found)`]);
      expect(await messages(address)).toEqual([
        `${add}: ENODEV (the interface named pptest_ns0 is not ours)`,
      ]);
      await done({ do: 'route.add', route: { ...ROUTE, via: null, src: null } });
    });

    test('many go at once, and nobody else’s', async () => {
      host.ip('link add other type bridge');
      const links = Array.from({ length: 100 }, (_, index): Veth => ({
        ...VETH,
        ifname: `pptest_${index}`,
        mac: null,
        peer: {
          ...VETH.peer,
          ifname: `peer${index}`,
          gateway: null,
          mac: `02:00:00:00:01:${index.toString(16).padStart(2, '0')}`,
        },
      }));
      await done(netns, ...links.map((link): Op => ({ do: 'link.add', link })));
      expect(linkNames()).toHaveLength(102);
      const outcomes = await host.kernel.apply([
        ...links.map((link): Op => ({ do: 'link.del', link })),
        { do: 'link.del', link: { ...VETH, ifname: 'other' } },
      ]);
      expect(outcomes.slice(0, 100)).toEqual(links.map(() => 'done'));
      expect(String(outcomes[100])).toContain('ENODEV');
      expect(linkNames()).toEqual(['lo', 'other']);
    });

    test('one that a killed manager had doomed is seen', async () => {
      await done(netns, veth);
      host.ip(`link set ${VETH.ifname} group ${DOOMED_GROUP} alias none`);
      expect((await host.kernel.observe(CONTRACT_ASK)).links.map(({ ifname }) => ifname)).toEqual([
        VETH.ifname,
      ]);
    });
  });

  describe('a TAP', () => {
    test('stays without us, belongs to its owner, and can be attached to and deleted meanwhile', async () => {
      await done(tap);
      const [seen] = json(`-d link show ${TAP.ifname}`);
      expect(seen).toMatchObject({
        qdisc: 'noqueue',
        linkinfo: {
          info_kind: 'tun',
          info_data: { type: 'tap', persist: true, user: TAP.owner === 0 ? 'root' : TAP.owner },
        },
      });
      const vmm = native.runInNetns(host.fd, () =>
        native.openTun({ mode: 'tap', name: TAP.ifname, attach: true }),
      );
      const { links } = await host.kernel.observe(CONTRACT_ASK);
      expect(links).toEqual([
        expect.objectContaining({ ifname: TAP.ifname, kind: 'tap', up: true, mac: TAP.mac, mtu: TAP.mtu }),
      ]);
      await done({ do: 'link.del', link: TAP });
      vmm.close();
      expect(linkNames()).toEqual(['lo']);
    });

    test('that cannot be completed is gone', async () => {
      expect(await messages({ do: 'link.add', link: { ...TAP, master: 'nope' } })).toEqual([
        'link.add tap pptest_tap0: ENODEV (no interface named nope)',
      ]);
      expect(linkNames()).toEqual(['lo']);
    });

    test('that the kernel refuses is gone', async () => {
      expect(await messages({ do: 'link.add', link: { ...TAP, mtu: 7 } })).toEqual([
        expect.stringMatching(/^link\.add tap pptest_tap0: EINVAL/),
      ]);
      expect(linkNames()).toEqual(['lo']);
    });
  });

  describe('what is observed', () => {
    test('only what carries our tag', async () => {
      host.ip('link add other up type bridge');
      host.ip('address add 192.0.2.1/24 dev other');
      host.ip('route add 10.5.0.0/16 dev other');
      host.ip('rule add priority 77 lookup 1002');
      host.run('nft', ['add table inet other']);
      await done(netns, veth, address, { do: 'route.add', route: ROUTE }, { do: 'rule.add', rule: RULE });
      const observed = await host.kernel.observe(CONTRACT_ASK);
      const chosen = observed.addresses.filter(({ cidr }) => !cidr.startsWith('fe80'));
      expect({ ...observed, addresses: chosen, sysctls: null }).toEqual({
        links: [
          {
            ifname: VETH.ifname,
            ifindex: expect.any(Number) as number,
            kind: 'veth',
            alias: VETH.alias,
            mac: VETH.mac,
            mtu: 1500,
            up: true,
            multicast: false,
            master: null,
          },
        ],
        addresses: [ADDRESS],
        routes: [ROUTE],
        rules: [RULE],
        table: false,
        chains: [],
        netns: [NETNS.name],
        sysctls: null,
      });
    });

    test('chains of our table', async () => {
      const text = rulesetText(
        { uplinks: [{ ifname: 'eth0', ifindex: 2 }], guestPrefixes: ['100.115.92.0/23'] },
        [],
        [],
      );
      await done({ do: 'nft.load', text, was: null });
      host.run('nft', ['add table inet other; add chain inet other theirs']);
      const { table, chains } = await host.kernel.observe(CONTRACT_ASK);
      expect([table, chains?.includes('pin_to_eth0'), chains?.includes('theirs')]).toEqual([
        true,
        true,
        false,
      ]);
    });
  });

  describe('nftables', () => {
    const text = rulesetText({ uplinks: [], guestPrefixes: ['100.115.92.0/23'] }, [], []);
    const guest = (ifname: string): Element => ({ set: SETS.guests.name, key: [ifname] });

    test('the refusal of a batch names the element', async () => {
      await done({ do: 'nft.load', text, was: null }, { do: 'nft.elements', add: [guest('there')], del: [] });
      expect(
        await messages({ do: 'nft.elements', add: [guest('a'), guest('there'), guest('b')], del: [] }),
      ).toEqual(['element.add guests "there": EEXIST']);
      expect(host.run('nft', ['list', 'set', 'inet', 'patchpanel', 'guests'])).toContain(
        'elements = { "there" }',
      );
    });

    test('the refusal of a text is nft’s first complaint', async () => {
      expect(
        await messages({ do: 'nft.load', text: 'add table inet patchpanel\nthis is none;\n', was: null }),
      ).toEqual([
        expect.stringMatching(
          /^nft\.load table inet patchpanel: EINVAL \(\/dev\/stdin:2:\S+: Error: syntax error/,
        ),
      ]);
      expect(host.run('nft', ['list', 'tables'])).toBe('');
    });

    test('a text of a megabyte', async () => {
      const guests = Array.from({ length: 2000 }, (_, index) => guest(`if${index}`));
      const long = rulesetText({ uplinks: [], guestPrefixes: ['100.115.92.0/23'] }, guests, []);
      await done({ do: 'nft.load', text: `${long}${'# a comment\n'.repeat(60_000)}`, was: null });
      await done({ do: 'nft.elements', add: [], del: [guest('if1999')] });
    });
  });

  test('sysctls of an interface with a dot in its name', async () => {
    await done({ do: 'link.add', link: { ...BRIDGE, ifname: 'br.7' } });
    const key = 'net.ipv4.conf.br/7.accept_redirects';
    await done({ do: 'sysctl.set', sysctl: { key, value: '0' }, was: '1', onlyIf: null });
    expect((await host.kernel.observe({ netns: [], sysctls: [key, 'net.ipv4.nope'] })).sysctls).toEqual(
      new Map([[key, '0']]),
    );
  });

  test('a value that the kernel does not take', async () => {
    const key = 'net.ipv4.ip_forward';
    expect(
      await messages({ do: 'sysctl.set', sysctl: { key, value: 'many' }, was: '0', onlyIf: null }),
    ).toEqual([expect.stringContaining('EINVAL')]);
  });

  test('callers at the same time are served one after the other', async () => {
    const made = await Promise.all([
      host.kernel.apply([netns, veth]),
      host.kernel.apply([address]),
      host.kernel.apply([delVeth]),
    ]);
    expect(made).toEqual([['done', 'done'], ['done'], ['done']]);
  });

  test('after close all is refused', async () => {
    host.kernel.close();
    expect(await messages(veth)).toEqual([expect.stringContaining('ENOENT')]);
    expect(await messages({ do: 'link.add', link: BRIDGE })).toEqual([
      'link.add bridge pptest_br0: ECANCELED (netlink worker closed)',
    ]);
    await expect(host.kernel.observe(CONTRACT_ASK)).rejects.toThrow('link.dump: ECANCELED');
  });
});
