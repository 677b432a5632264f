import { execFileSync } from 'node:child_process';
import { VirtualClock } from '@pp/base/testing';
import { Monitor } from './monitor';
import type { NetlinkClient } from './client';
import { nftEventOf, type NftEvent } from './nf/edits';
import { dumpTables, NFNLGRP_NFTABLES } from './nf/tables';
import type { TableRef } from './nf/nfnetlink';
import { addAddress, delAddress } from './rt/address';
import { routeSubject } from './rt/events';
import type { RouteEvent, RouteSnapshot, RouteTopic } from './rt/events';
import { addLink, delLink, dumpLinks, getLink, setLink } from './rt/link-requests';
import { addRoute } from './rt/route-requests';
import { ownLinksFilter } from './rt/own-links-filter';
import { addRule, delRule } from './rt/rule';
import { netlinkIn } from './socket';
import type { OpenNetlink } from './socket';
import { describeOnKernel, TestNetns, until } from './testing';

const RULE = {
  family: 'ipv6',
  priority: 7,
  fwmark: null,
  iif: null,
  oif: null,
  from: null,
  to: null,
  table: 1002,
  suppressPrefixLength: null,
  protocol: 80,
} as const;

/** "new link br0", "del rule 7". */
function words(event: RouteEvent): string {
  const what =
    event.on === 'link'
      ? event.link.ifname
      : event.on === 'address'
        ? event.address.cidr
        : event.on === 'route'
          ? event.route.dst
          : event.on === 'rule'
            ? event.rule.priority
            : event.on === 'nexthop'
              ? event.nexthop.id
              : event.neighbor.address;
  return `${event.change} ${event.on} ${what}`;
}

describeOnKernel('a monitor on Linux', (native) => {
  let netns: TestNetns;
  let client: NetlinkClient;
  let monitor: { close(): void } | undefined;

  beforeEach(() => {
    netns = new TestNetns(native);
    client = netns.client('route');
  });

  afterEach(() => {
    monitor?.close();
    netns.close();
  });

  interface Told {
    readonly snapshots: RouteSnapshot[];
    readonly events: RouteEvent[];
    /** Links by name: the last snapshot, with the events since. */
    readonly links: Map<string, string>;
  }

  async function follow(
    topics: readonly RouteTopic[],
    open: OpenNetlink,
    listen: OpenNetlink = open,
  ): Promise<Told> {
    const told: Told = { snapshots: [], events: [], links: new Map() };
    const started = new Monitor({
      open,
      listen,
      subject: routeSubject(topics),
      clock: new VirtualClock(),
      onSnapshot: (snapshot) => {
        told.snapshots.push(snapshot);
        told.links.clear();
        for (const { ifname, alias } of snapshot.links) told.links.set(ifname, alias);
      },
      onEvent: (event) => {
        told.events.push(event);
        if (event.on !== 'link') return;
        if (event.change === 'new') told.links.set(event.link.ifname, event.link.alias);
        else told.links.delete(event.link.ifname);
      },
      onFault: (fault) => {
        throw fault;
      },
    });
    monitor = started;
    await started.start();
    return told;
  }

  test('the first snapshot, then what comes and goes', async () => {
    await client.request(addLink({ ifname: 'br0', up: true, kind: { name: 'bridge' } }));
    const { ifindex } = await client.get(getLink('br0'));
    const told = await follow(['link', 'address', 'route', 'rule'], netns.open('route'));
    expect(told.snapshots.map(({ links }) => links.map(({ ifname }) => ifname))).toEqual([['lo', 'br0']]);
    await client.request(addAddress(ifindex, '10.0.0.1/24'));
    const hop = { via: '10.0.0.2', ifindex, onlink: false };
    await client.request(
      addRoute({ kind: 'unicast', dst: '10.9.0.0/24', hop, src: null, table: 1002, metric: 0, protocol: 80 }),
    );
    await client.requestMany([
      addRule(RULE),
      delRule(RULE),
      delAddress(ifindex, '10.0.0.1/24'),
      delLink(ifindex),
    ]);
    await until('the link is gone', () => !told.links.has('br0'));
    expect(told.events.map(words)).toEqual(
      expect.arrayContaining([
        'new address 10.0.0.1/24',
        'new route 10.9.0.0/24',
        'new rule 7',
        'del rule 7',
        'del address 10.0.0.1/24',
        'del link br0',
      ]),
    );
  });

  test('a port that leaves its bridge is no link that goes', async () => {
    await client.request(addLink({ ifname: 'br0', kind: { name: 'bridge' } }));
    const bridge = await client.get(getLink('br0'));
    const told = await follow(['link'], netns.open('route'));
    await client.request(
      addLink({
        ifname: 'v0',
        up: true,
        master: bridge.ifindex,
        kind: { name: 'veth', peer: { ifname: 'v1' } },
      }),
    );
    const { ifindex } = await client.get(getLink('v0'));
    await client.request(setLink(ifindex, { master: 0 }));
    await client.request(setLink(ifindex, { alias: 'end' }));
    await until('the last change', () => told.links.get('v0') === 'end');
    expect(told.events.map(words)).not.toContain('del link v0');
  });

  test('of own links nothing is heard', async () => {
    const [GROUP, PROTOCOL] = [0x5050, 80];
    const listen = netlinkIn(
      native,
      'route',
      netns.fd,
      ownLinksFilter({ groups: [GROUP], protocol: PROTOCOL }),
    );
    const told = await follow(['link', 'address', 'route'], netns.open('route'), listen);
    const makeAndChange = async (
      ifname: string,
      group: number,
      cidr: string,
      protocol: number,
    ): Promise<void> => {
      await client.request(
        addLink({ ifname, group, kind: { name: 'veth', peer: { ifname: `${ifname}-far` } } }),
      );
      const { ifindex } = await client.get(getLink(ifname));
      await client.request(setLink(ifindex, { up: true, alias: `${ifname} is up` }));
      await client.request(addAddress(ifindex, cidr, { protocol }));
      await client.request(delLink(ifindex));
    };
    await makeAndChange('ours', GROUP, '10.0.0.1/24', PROTOCOL);
    await makeAndChange('foreign', 7, '10.1.0.1/24', 0);
    await until('the last change', () => told.events.map(words).includes('del link foreign'));
    const links = told.events.map(words).filter((text) => text.includes(' link '));
    expect(links.filter((text) => text.endsWith(' ours'))).toEqual([]);
    expect(links.filter((text) => text === 'new link foreign').length).toBeGreaterThan(1);
    const rest = told.events.map(words).filter((text) => / (address|route) \d/.test(text)); // none of 10.0.0.0/24, and no kernel's route
    expect(rest).toEqual(['new address 10.1.0.1/24', 'del address 10.1.0.1/24']);
  });

  test('more changes than the socket holds: read again, and nothing is lost', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `br${index}`);
    await client.requestMany(names.map((ifname) => addLink({ ifname, up: true, kind: { name: 'bridge' } })));
    const small: OpenNetlink = (events) =>
      native.runInNetns(netns.fd, () =>
        native.openNetlink({ family: 'route', receiveBufferBytes: 4096, ...events }),
      );
    const told = await follow(['link'], small);
    // While another program changes links, this one stands still and reads nothing.
    const changes = names.flatMap((name) => [1, 2, 3].map((n) => `link set ${name} alias ${name}-${n}`));
    native.runInNetns(netns.fd, () => execFileSync('ip', ['-batch', '-'], { input: changes.join('\n') }));
    await client.request(delLink((await client.get(getLink('br0'))).ifindex));
    const want = new Map(names.slice(1).map((name) => [name, `${name}-3`]));
    await until('the last state', () => told.links.size === 20 && told.links.get('br19') === 'br19-3');
    expect(told.snapshots.length).toBeGreaterThan(1);
    expect(told.links).toEqual(new Map([['lo', ''], ...want]));
    expect((await client.dump(dumpLinks())).map(({ ifname, alias }) => [ifname, alias])).toEqual([
      ['lo', ''],
      ...want,
    ]);
  });

  test('tables of nftables', async () => {
    const told: (readonly TableRef[] | NftEvent)[] = [];
    const tables = new Monitor<readonly TableRef[], NftEvent>({
      open: netns.open('netfilter'),
      subject: {
        groups: [NFNLGRP_NFTABLES],
        decode: nftEventOf({ family: 'inet', name: 't' }),
        snapshot: (reader) => reader.dump(dumpTables()),
      },
      clock: new VirtualClock(),
      onSnapshot: (snapshot) => told.push(snapshot),
      onEvent: (event) => told.push(event),
      onFault: (fault) => {
        throw fault;
      },
    });
    monitor = tables;
    await tables.start();
    native.runInNetns(netns.fd, () =>
      execFileSync('nft', ['add table inet t; add set inet t s { type mark; }; flush ruleset']),
    );
    await until('the table is gone', () => told.length === 6);
    const [adds, goes] = [
      { on: 'edit', what: 'added' },
      { on: 'edit', what: 'changed' },
    ];
    const commit = {
      on: 'commit',
      process: 'nft',
      portId: expect.any(Number) as number,
      pid: expect.any(Number) as number,
    };
    expect(told).toEqual([[], adds, adds, goes, { on: 'edit', what: 'gone' }, commit]);
  });
});
