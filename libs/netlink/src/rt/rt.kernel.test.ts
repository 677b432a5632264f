/** What is asked of Linux is what it shows afterwards. */
import { KernelError } from '@pp/base';
import { addAddress, delAddress, dumpAddresses, isPermanent } from './address';
import { isMulticast, isUp } from './link';
import { addLink, delLink, dumpLinks, getLink, setLink } from './link-requests';
import { dumpNeighbors, setNeighbor } from './neighbor';
import type { Neighbor } from './neighbor';
import { addRoute, delRoute, dumpRoutes, replaceRoute } from './route-requests';
import type { NewRoute } from './route-requests';
import { addRule, delRule, dumpRules } from './rule';
import type { Rule } from './rule';
import type { NetlinkClient } from '../client';
import type { NetlinkRequest } from '../request';
import { describeOnKernel, TestNetns } from '../testing';

describeOnKernel('rtnetlink on Linux', (native) => {
  let netns: TestNetns;
  let client: NetlinkClient;
  /** ifindex of br0, up, 10.0.0.1/24 and fd00::1/64. */
  let br0: number;

  beforeEach(async () => {
    netns = new TestNetns(native);
    client = netns.client('route');
    br0 = await netns.bridge(client);
  });

  afterEach(() => {
    netns.close();
  });

  const code = async (request: NetlinkRequest): Promise<string> => {
    const [result] = await client.requestMany([request]);
    return result instanceof KernelError ? result.code : 'done';
  };

  describe('links', () => {
    test('a veth whose peer is born in another namespace', async () => {
      const there = new TestNetns(native);
      try {
        await client.request(
          addLink({
            ifname: 'v0',
            mac: '02:00:00:00:00:01',
            mtu: 1400,
            group: 0x5050,
            multicast: false,
            kind: {
              name: 'veth',
              peer: { ifname: 'p0', mac: '02:00:00:00:00:02', mtu: 1400, netnsFd: there.fd },
            },
          }),
        );
        const here = await client.get(getLink('v0'));
        const peer = await there.client('route').get(getLink('p0'));
        expect({ ...here, ifindex: 0, link: 0 }).toMatchObject({
          kind: 'veth',
          mac: '02:00:00:00:00:01',
          mtu: 1400,
          group: 0x5050,
          peerNetnsId: 0,
        });
        expect(isMulticast(here)).toBe(false);
        expect({ mac: peer.mac, mtu: peer.mtu, ifindex: peer.ifindex }).toEqual({
          mac: '02:00:00:00:00:02',
          mtu: 1400,
          ifindex: here.link,
        });
        await client.request(delLink(here.ifindex));
        expect((await there.client('route').dump(dumpLinks())).map(({ ifname }) => ifname)).toEqual(['lo']);
      } finally {
        there.close();
      }
    });

    test('the name of the peer is taken there', async () => {
      expect(await code(addLink({ ifname: 'v0', kind: { name: 'veth', peer: { ifname: 'br0' } } }))).toBe(
        'EEXIST',
      );
      expect((await client.dump(dumpLinks())).map(({ ifname }) => ifname)).toEqual(['lo', 'br0']);
    });

    test('a macvlan', async () => {
      await client.request(
        addLink({ ifname: 'v0', up: true, kind: { name: 'veth', peer: { ifname: 'v1' } } }),
      );
      const { ifindex } = await client.get(getLink('v0'));
      await client.request(addLink({ ifname: 'm0', kind: { name: 'macvlan', link: ifindex } }));
      expect(await client.get(getLink('m0'))).toMatchObject({ kind: 'macvlan', link: ifindex });
    });

    test('all that can be changed', async () => {
      await client.request(addLink({ ifname: 'v0', kind: { name: 'veth', peer: { ifname: 'v1' } } }));
      const { ifindex } = await client.get(getLink('v0'));
      const change = {
        alias: 'patchpanel:x',
        mac: '02:00:00:00:00:09',
        mtu: 1300,
        group: 7,
        master: br0,
        multicast: false,
        up: true,
      };
      await client.request(setLink(ifindex, change));
      const seen = await client.get(getLink(ifindex));
      expect(seen).toMatchObject({
        alias: 'patchpanel:x',
        mac: '02:00:00:00:00:09',
        mtu: 1300,
        group: 7,
        master: br0,
      });
      expect([isUp(seen), isMulticast(seen)]).toEqual([true, false]);
      await client.request(setLink(ifindex, { alias: '', master: 0, multicast: true, up: false }));
      const after = await client.get(getLink(ifindex));
      expect([after.alias, after.master, isUp(after), isMulticast(after)]).toEqual(['', null, false, true]);
    });

    test('moved to another namespace, under another name', async () => {
      const there = new TestNetns(native);
      try {
        await client.request(addLink({ ifname: 'v0', kind: { name: 'veth', peer: { ifname: 'v1' } } }));
        const { ifindex } = await client.get(getLink('v0'));
        await client.request(setLink(ifindex, { netnsFd: there.fd, ifname: 'moved' }));
        expect(await code(getLink('v0'))).toBe('ENODEV');
        expect((await there.client('route').get(getLink('moved'))).kind).toBe('veth');
      } finally {
        there.close();
      }
    });

    test('a TAP says that it is one', async () => {
      const tap = native.runInNetns(netns.fd, () => native.openTun({ mode: 'tap', name: 'tap0' }));
      expect(await client.get(getLink('tap0'))).toMatchObject({ kind: 'tun', tunMode: 'tap' });
      tap.close();
    });
  });

  describe('addresses', () => {
    test('both families, with their flags', async () => {
      const seen = (await client.dump(dumpAddresses())).filter(
        ({ ifindex, scope }) => ifindex === br0 && scope === 0,
      );
      expect(seen.map(({ cidr }) => cidr)).toEqual(['10.0.0.1/24', 'fd00::1/64']);
      expect(seen.every(isPermanent)).toBe(true);
    });

    test('there already, and gone', async () => {
      expect(await code(addAddress(br0, '10.0.0.1/24'))).toBe('EEXIST');
      expect(await code(delAddress(br0, '10.0.0.1/24'))).toBe('done');
      expect(await code(delAddress(br0, '10.0.0.1/24'))).toBe('EADDRNOTAVAIL');
      expect(await code(addAddress(br0, 'fd00::1/64'))).toBe('EEXIST');
      expect(await code(delAddress(br0, 'fd00::1/64'))).toBe('done');
      expect(await code(delAddress(br0, 'fd00::1/64'))).toBe('EADDRNOTAVAIL');
      expect(await code(addAddress(999, '10.0.0.1/24'))).toBe('ENODEV');
    });
  });

  const route = (change: Partial<NewRoute>): NewRoute => ({
    kind: 'unicast',
    dst: '10.9.0.0/24',
    hop: { via: '10.0.0.2', ifindex: br0, onlink: false },
    src: null,
    table: 254,
    metric: 0,
    protocol: 80,
    ...change,
  });

  const routes: readonly { name: string; change: () => Partial<NewRoute> }[] = [
    { name: 'by a gateway', change: () => ({}) },
    { name: 'on the link', change: () => ({ hop: { via: null, ifindex: br0, onlink: false } }) },
    {
      name: 'by a gateway that no prefix covers',
      change: () => ({ hop: { via: '192.0.2.1', ifindex: br0, onlink: true } }),
    },
    {
      name: 'all there is to say, in a high table',
      change: () => ({ src: '10.0.0.1', table: 100_000, metric: 65536 }),
    },
    { name: 'default', change: () => ({ dst: '0.0.0.0/0' }) },
    {
      name: 'IPv4 by an IPv6 gateway',
      change: () => ({ dst: '0.0.0.0/0', hop: { via: 'fe80::1', ifindex: br0, onlink: false } }),
    },
    { name: 'blackhole', change: () => ({ kind: 'blackhole', hop: null, table: 1002 }) },
    { name: 'throw', change: () => ({ kind: 'throw', hop: null, table: 1002 }) },
    { name: 'unreachable', change: () => ({ kind: 'unreachable', hop: null }) },
    {
      name: 'IPv6 by a gateway',
      change: () => ({ dst: 'fd09::/64', hop: { via: 'fd00::2', ifindex: br0, onlink: false }, metric: 77 }),
    },
    {
      name: 'IPv6 on the link, with a source',
      change: () => ({
        dst: 'fd09::/64',
        hop: { via: null, ifindex: br0, onlink: false },
        src: 'fd00::1',
        metric: 77,
      }),
    },
    {
      name: 'IPv6 by a gateway that no prefix covers',
      change: () => ({
        dst: '::/0',
        hop: { via: '2001:db8::1', ifindex: br0, onlink: true },
        metric: 77,
        table: 1002,
      }),
    },
  ];

  describe('routes', () => {
    test.each(routes)('$name', async ({ change }) => {
      const wanted = route(change());
      const { hop, ...facts } = wanted;
      expect(await code(addRoute(wanted))).toBe('done');
      const family = wanted.dst.includes(':') ? 'ipv6' : 'ipv4';
      const shown = await client.dump(dumpRoutes({ protocol: 80 }));
      expect(shown).toEqual([{ ...facts, family, hops: hop === null ? [] : [hop] }]);
      expect(await code(addRoute(wanted))).toBe('EEXIST');
      expect(await code(delRoute(wanted))).toBe('done');
      expect(await code(delRoute(wanted))).toBe('ESRCH');
    });

    test('an IPv6 blackhole is shown on lo, and 0 as metric 1024', async () => {
      await client.request(addRoute(route({ kind: 'blackhole', dst: 'fd09::/64', hop: null })));
      const [shown] = await client.dump(dumpRoutes({ protocol: 80 }));
      expect(shown).toMatchObject({
        kind: 'blackhole',
        metric: 1024,
        hops: [{ via: null, ifindex: 1, onlink: false }],
      });
    });

    test('replaced', async () => {
      await client.request(addRoute(route({})));
      await client.request(replaceRoute(route({ hop: { via: '10.0.0.3', ifindex: br0, onlink: false } })));
      const shown = await client.dump(dumpRoutes({ protocol: 80 }));
      expect(shown.map(({ hops }) => hops.map(({ via }) => via))).toEqual([['10.0.0.3']]);
    });

    test('of one table only', async () => {
      await client.requestMany([addRoute(route({ table: 1002 })), addRoute(route({ table: 1003 }))]);
      expect((await client.dump(dumpRoutes({ table: 1003 }))).map(({ table }) => table)).toEqual([1003]);
      expect((await client.dump(dumpRoutes())).map(({ table }) => table)).toEqual(
        expect.arrayContaining([1002, 1003, 255]),
      );
    });

    test('by a gateway out of reach, the kernel says why', async () => {
      const far = addRoute(route({ hop: { via: '192.0.2.1', ifindex: br0, onlink: false } }));
      const error = await client.request(far).catch((fault: unknown) => fault);
      expect(String(error)).toBe(
        `KernelError: route.add 10.9.0.0/24 via 192.0.2.1 dev #${br0} table 254 metric 0: ENETUNREACH (Nexthop has invalid gateway)`,
      );
    });
  });

  const RULE: Rule = {
    family: 'ipv4',
    priority: 1010,
    fwmark: null,
    iif: null,
    oif: null,
    from: null,
    to: null,
    table: 1002,
    suppressPrefixLength: null,
    protocol: 80,
  };
  const rules: readonly Rule[] = [
    RULE,
    { ...RULE, family: 'ipv6' },
    { ...RULE, fwmark: { value: 0x03ea0000, mask: 0xffff0000 } },
    { ...RULE, fwmark: { value: 0, mask: 0xc000 } },
    { ...RULE, iif: 'br0', oif: 'not-there-yet' },
    { ...RULE, from: '10.0.0.0/24', to: '192.0.2.0/24' },
    { ...RULE, family: 'ipv6', from: 'fd00::/64' },
    { ...RULE, table: 254, suppressPrefixLength: 0 },
  ];

  describe('rules', () => {
    test.each(rules)('%j', async (rule) => {
      expect(await code(addRule(rule))).toBe('done');
      expect((await client.dump(dumpRules())).filter(({ protocol }) => protocol === 80)).toEqual([rule]);
      expect(await code(addRule(rule))).toBe('EEXIST');
      expect(await code(delRule(rule))).toBe('done');
      expect(await code(delRule(rule))).toBe('ENOENT');
    });

    test('that of somebody else is not deleted', async () => {
      await client.request(addRule({ ...RULE, protocol: 4 }));
      expect(await code(delRule(RULE))).toBe('ENOENT');
    });
  });

  const neighbors: readonly { address: string }[] = [{ address: '10.0.0.9' }, { address: 'fd00::9' }];

  describe('neighbours', () => {
    test.each(neighbors)('$address', async ({ address }) => {
      const wanted: Neighbor = { ifindex: br0, address, mac: '02:00:00:00:00:09', state: 'permanent' };
      expect(await code(setNeighbor({ ...wanted, mac: '02:00:00:00:00:08' }))).toBe('done');
      expect(await code(setNeighbor(wanted))).toBe('done');
      expect((await client.dump(dumpNeighbors())).filter((seen) => seen.address === address)).toEqual([
        wanted,
      ]);
    });
  });
});
