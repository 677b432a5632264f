import { KernelError, seconds } from '@pp/base';
import {
  advertise,
  DOWN,
  duplicateCheck,
  GUEST,
  GUEST_LL,
  ip,
  NEIGHBOR,
  PREFIX,
  routerAdvert,
  solicit,
} from './core/testing/scene';
import { statusText } from '@pp/daemon';
import { NaFlag, NdOptionType, option } from '@pp/wire';
import { statusOf, warningsOf } from './status';
import { ADDRESSES, GROUP, Rig, view } from './testing/rig';

const guest = { mac: 2, source: GUEST };
const unsolicited = advertise(guest, ip('ff02::1'), DOWN, { flags: NaFlag.override });
const GUEST_ROUTE = '2001:db8::2 dev #2 src 2001:db8::a';

test('an interface is awaited, said once, and served when it comes', async () => {
  const rig = new Rig();
  await rig.start(['eth0']);
  expect(rig.packets.openIfindexes).toEqual([1]);
  await rig.tell([view('eth0'), view('tap0'), view('tap1', { running: false })]);
  await rig.tell([view('eth0'), view('tap0'), view('tap1', { running: false })]);
  expect(rig.packets.openIfindexes).toEqual([1, 2]);
  expect(rig.log.lines.filter((line) => line.includes('awaited'))).toEqual([
    'info interface.awaited group=main ifname=eth0 why=absent',
    'info interface.awaited group=main ifname=tap* why=absent',
    'info interface.awaited group=main ifname=tap1 why=down',
  ]);
  expect(rig.guard.protected).toEqual(['eth0', 'tap0']);
});

test('an interface that goes takes its port, its nodes and its routes along', async () => {
  const rig = new Rig();
  await rig.start();
  await rig.send('tap0', unsolicited);
  expect(rig.routes.text).toEqual([GUEST_ROUTE]);
  await rig.tell([view('eth0')]);
  expect(rig.packets.openIfindexes).toEqual([1]);
  expect([...rig.service.routes.installed]).toEqual([]);
  expect(rig.guard.protected).toEqual(['eth0']);
});

test('one that comes back under the same name with another index is served again', async () => {
  const rig = new Rig();
  await rig.start();
  rig.packets.plug(7, rig.lan(2), '02aa00000002');
  await rig.tell([view('eth0'), view('tap0', { ifindex: 7 })]);
  expect(rig.packets.openIfindexes).toEqual([1, 7]);
});

test('one that went between its news and us is tried again', async () => {
  const rig = new Rig();
  rig.packets.unplug(2);
  await rig.start();
  expect(rig.packets.openIfindexes).toEqual([1]);
  rig.packets.plug(2, rig.lan(2), '02aa00000002');
  rig.clock.advance(seconds(2));
  expect(rig.packets.openIfindexes).toEqual([1, 2]);
});

test('one that there are too few descriptors for is tried again', async () => {
  const rig = new Rig();
  jest.spyOn(rig.packets, 'open').mockImplementationOnce(() => {
    throw new KernelError('EMFILE', 'packet socket');
  });
  await rig.start();
  rig.clock.advance(seconds(2));
  expect(rig.packets.openIfindexes).toEqual([1, 2]);
});

test('an interface that the kernel sends nothing on (WireGuard without a peer) ends nothing, and is counted', async () => {
  const rig = new Rig();
  await rig.start(['eth0', 'tap0', 'tap1']);
  const before = rig.lan(3).frames.length;
  rig.packets.refusals.set(2, () => 'ENOKEY');
  await rig.send('eth0', solicit({ mac: 0x41, source: NEIGHBOR }, GUEST));
  expect(rig.lan(3).frames.length).toBe(before + 1);
  expect(statusOf(rig.service)).toMatchObject({ groups: [{ sendFailures: 1 }] });
});

test('a changed Ethernet address is used from then on', async () => {
  const rig = new Rig();
  await rig.start();
  await rig.tell([view('eth0', { mac: '02:bb:00:00:00:01' }), view('tap0')]);
  await rig.send('tap0', solicit(guest, NEIGHBOR));
  expect(rig.lan(1).frames.at(-1)?.subarray(6, 12)).toEqual(Uint8Array.of(2, 0xbb, 0, 0, 0, 1));
});

describe('routes', () => {
  test.each([
    { name: 'an advertisement', frame: unsolicited },
    { name: 'a solicitation', frame: solicit(guest, NEIGHBOR) },
    { name: 'a duplicate check', frame: duplicateCheck(2, GUEST) },
  ])('a guest that is heard by $name gets one, with the upstream’s address as source', async ({ frame }) => {
    const rig = new Rig();
    await rig.start();
    await rig.send('tap0', frame);
    expect(rig.routes.text).toEqual([GUEST_ROUTE]);
  });

  test('it follows a guest that moves, and goes when the guest is on the upstream', async () => {
    const rig = new Rig();
    await rig.start(['eth0', 'tap0', 'tap1']);
    await rig.send('tap0', solicit(guest, NEIGHBOR));
    rig.clock.advance(seconds(1));
    await rig.send('tap1', solicit(guest, NEIGHBOR));
    expect(rig.routes.text).toEqual([GUEST_ROUTE.replace('#2', '#3')]);
    rig.clock.advance(seconds(1));
    await rig.send('eth0', solicit(guest, NEIGHBOR));
    expect(rig.routes.text).toEqual([]);
  });

  test('a guest that is gone loses it', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.send('tap0', solicit(guest, NEIGHBOR));
    rig.clock.advance(seconds(70));
    await rig.settled();
    expect(rig.routes.text).toEqual([]);
  });

  describe('when a group is there again (the manager has none without an uplink)', () => {
    const away = async (): Promise<Rig> => {
      const rig = new Rig();
      await rig.start(['eth0', 'tap0', 'tap1']);
      await rig.send('tap0', unsolicited);
      rig.service.setGroups([]);
      await rig.settled();
      expect(rig.routes.text).toEqual([]);
      return rig;
    };
    const again = async (rig: Rig): Promise<void> => {
      rig.service.setGroups([GROUP]);
      await rig.settled();
      rig.clock.advance(seconds(13));
    };

    test('its guests have theirs at once, and keep them if they answer', async () => {
      const rig = await away();
      rig.service.setGroups([GROUP]);
      await rig.settled();
      expect(rig.routes.text).toEqual([GUEST_ROUTE]);
      rig.clock.advance(seconds(2));
      await rig.send('tap0', advertise(guest, ip('fe80::a:2'), DOWN));
      rig.clock.advance(seconds(10));
      await rig.settled();
      expect(rig.routes.text).toEqual([GUEST_ROUTE]);
    });

    test('a guest that went meanwhile has none', async () => {
      const rig = await away();
      await again(rig);
      await rig.settled();
      expect(rig.routes.text).toEqual([]);
    });

    test('one that was heard elsewhere meanwhile has its own', async () => {
      const rig = await away();
      rig.service.setGroups([{ ...GROUP, downstreams: ['tap1'] }]);
      rig.clock.advance(seconds(13));
      await rig.send('tap1', unsolicited);
      await again(rig);
      await rig.settled();
      expect(rig.routes.text).toEqual([GUEST_ROUTE.replace('#2', '#3')]);
    });

    test('a link that was unplugged takes its guests along', async () => {
      const rig = await away();
      await rig.tell([view('eth0')]);
      await rig.tell([view('eth0'), view('tap0')]);
      rig.service.setGroups([GROUP]);
      await rig.settled();
      expect(rig.routes.text).toEqual([]);
    });
  });

  test.each([
    { name: 'link-local addresses', source: GUEST_LL },
    { name: 'addresses that are not of a shared prefix', source: ip('2001:db8:bad::1') },
  ])('$name get none', async ({ source }) => {
    const rig = new Rig();
    await rig.start();
    await rig.send('tap0', solicit({ mac: 2, source }, NEIGHBOR));
    expect(rig.routes.text).toEqual([]);
  });

  test('a prefix that a router announces is shared, also for guests heard before', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.tell([view('eth0'), view('tap0')], [{ ifindex: 1, cidr: 'fe80::a:1/64', usable: true }]);
    await rig.send('tap0', unsolicited);
    expect(rig.routes.text).toEqual([]);
    await rig.send('eth0', routerAdvert({ options: [PREFIX] }));
    expect(rig.routes.text).toEqual(['2001:db8::2 dev #2']);
  });

  test('in bridge mode, too: for the packets of this host', async () => {
    const rig = new Rig({ mode: 'bridge' });
    await rig.start();
    await rig.send('tap0', unsolicited);
    expect(rig.routes.text).toEqual([GUEST_ROUTE]);
  });

  test('those of an earlier process are kept while their guests answer, and others removed', async () => {
    const rig = new Rig({}, [
      { address: '2001:db8::2', ifindex: 2, source: '2001:db8::a' },
      { address: '2001:db8::3', ifindex: 2, source: '2001:db8::a' },
      { address: '2001:db8::4', ifindex: 99, source: '2001:db8::a' },
    ]);
    rig.interfaces.tell({ links: [view('eth0'), view('tap0')], addresses: rigAddresses });
    rig.service.setGroups([GROUP]);
    await rig.service.start();
    expect(rig.routes.text).toEqual([GUEST_ROUTE, '2001:db8::3 dev #2 src 2001:db8::a']);
    rig.clock.advance(seconds(2));
    await rig.send('tap0', advertise(guest, ip('fe80::a:2'), DOWN));
    rig.clock.advance(seconds(10));
    await rig.settled();
    expect(rig.routes.text).toEqual([GUEST_ROUTE]);
  });

  const rigAddresses = [
    { ifindex: 1, cidr: '2001:db8::a/64', usable: true },
    { ifindex: 2, cidr: 'fe80::a:2/64', usable: true },
  ];
});

test('an address that the host’s own duplicate check has found elsewhere is that other node’s', async () => {
  const rig = new Rig();
  await rig.start();
  const taken = { ifindex: 1, cidr: '2001:db8::2/64', usable: false, duplicate: true } as const;
  await rig.tell([view('eth0'), view('tap0')], [...ADDRESSES, taken]);
  await rig.send('tap0', unsolicited);
  expect(rig.routes.text).toEqual([GUEST_ROUTE]);
});

test('groups of guests’ addresses are joined on the other segments that may have switches, and left again', async () => {
  const rig = new Rig();
  const [uplink, guestLink, otherGuest] = [view('eth0'), view('tap0'), view('tap1')];
  const switched = view('eth1', { kind: null });
  const group = 'ff0200000000000000000001ff000002';
  const joined = (): readonly string[] =>
    [...rig.memberships.joined].filter((each) => !each.endsWith(':ff020000000000000000000000000002')).sort();
  await rig.start(['eth0', 'tap0', 'tap1'], [{ ...GROUP, downstreams: ['tap*', 'eth1'] }]);
  expect([...rig.memberships.joined]).toHaveLength(3); // all routers
  await rig.send('tap0', unsolicited);
  await rig.send(
    'tap0',
    advertise({ mac: 2, source: GUEST_LL }, ip('ff02::1'), DOWN, { flags: NaFlag.override }),
  ); // the same group
  rig.clock.advance(seconds(1));
  expect(joined()).toEqual([`1:${group}`]);
  await rig.tell([uplink, guestLink, otherGuest, switched]); // later than the guest
  rig.clock.advance(seconds(1));
  expect(joined()).toEqual([`1:${group}`, `4:${group}`]);
  await rig.tell([uplink, otherGuest, switched]);
  rig.clock.advance(seconds(1));
  expect(joined()).toEqual([]);
  await rig.tell([uplink, guestLink, otherGuest, switched]);
  rig.clock.advance(seconds(13));
  await rig.send('tap0', unsolicited); // later than the switch
  rig.clock.advance(seconds(1));
  expect(joined()).toEqual([`1:${group}`, `4:${group}`]);
});

test('a node of two proxies is asked for at both, until it is gone from both', async () => {
  const rig = new Rig();
  const groups = ['0', '1'].map((n) => ({ name: n, upstream: `eth${n}`, downstreams: [`tap${n}`] }));
  await rig.start(['eth0', 'tap0', 'eth1', 'tap1'], groups);
  const routers = [...rig.memberships.joined];
  const group = 'ff0200000000000000000001ff000002';
  for (const [tap, uplink] of [
    ['tap0', 1],
    ['tap1', 4],
  ] as const) {
    await rig.send(tap, unsolicited);
    rig.clock.advance(seconds(1));
    expect(rig.memberships.joined).toContain(`${uplink}:${group}`);
  }
  await rig.tell([view('eth0'), view('eth1')]);
  rig.clock.advance(seconds(1));
  const kept = routers.filter((at) => at.startsWith('1:') || at.startsWith('4:'));
  expect([...rig.memberships.joined].sort()).toEqual(kept.sort());
});

test('two uplinks on one LAN: what the proxy says there for a guest of one group takes no route from the guest', async () => {
  const rig = new Rig();
  const groups = ['0', '1'].map((n) => ({ name: n, upstream: `eth${n}`, downstreams: [`tap${n}`] }));
  await rig.start(['eth0', 'tap0', 'eth1', 'tap1'], groups);
  await rig.send('tap0', duplicateCheck(2, GUEST));
  expect(rig.routes.text).toEqual([GUEST_ROUTE]);
  const said = rig.lan(1).frames.slice();
  expect(said.length).toBeGreaterThan(0);
  for (const frame of said) await rig.send('eth1', frame);
  expect(rig.routes.text).toEqual([GUEST_ROUTE]);
});

test('several groups are on their own, and can be changed while they run', async () => {
  const rig = new Rig();
  await rig.start(['eth0', 'tap0', 'tap1'], [{ name: 'a', upstream: 'eth0', downstreams: ['tap0'] }]);
  await rig.send('tap0', unsolicited);
  expect(rig.lan(1).frames.length).toBeGreaterThan(0);
  expect(rig.lan(3).frames).toEqual([]);
  rig.service.setGroups([{ name: 'b', upstream: null, downstreams: ['tap0', 'tap1'] }]);
  await rig.settled();
  expect(rig.packets.openIfindexes).toEqual([2, 3]);
  expect(rig.routes.text).toEqual([]);
  expect(rig.guard.protected).toEqual(['tap0', 'tap1']);
});

test('a bridge whose frames netfilter sees is not guarded', async () => {
  const rig = new Rig();
  rig.sysctls.set('net/bridge/bridge-nf-call-ip6tables', '1');
  await rig.start(['eth0']);
  await rig.tell([view('eth0'), view('tap0', { kind: 'bridge' })]);
  expect(rig.guard.protected).toEqual(['eth0']);
});

describe('what others take away', () => {
  test('the guard and routes are there again a moment later', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.send('tap0', unsolicited);
    await rig.guard.remove();
    rig.routes.take('2001:db8::2');
    rig.losses.tell(
      { on: 'table', by: 'nft (pid 4711)' },
      { on: 'route', dst: '2001:db8::2/128', table: 254 },
    );
    rig.clock.advance(seconds(1));
    await rig.idle();
    expect(rig.guard.protected).toEqual(['eth0', 'tap0']);
    expect(rig.routes.text).toEqual([GUEST_ROUTE]);
    expect(rig.log.lines).toContain('warn guard.lost by=nft (pid 4711)');
  });

  test('a route that goes with its interface is not missed', async () => {
    const rig = new Rig();
    await rig.start();
    await rig.send('tap0', unsolicited);
    rig.routes.take('2001:db8::2');
    rig.losses.tell({ on: 'route', dst: '2001:db8::2/128', table: 254 });
    await rig.tell([view('eth0')]); // the news of it
    rig.clock.advance(seconds(1));
    await rig.idle();
    expect(rig.routes.text).toEqual([]);
  });
});

test('the port of a bridge is no member that works, which the status says', async () => {
  const rig = new Rig();
  await rig.start(['eth0']);
  rig.sysctls.set('net/ipv6/conf/all/forwarding', '1');
  await rig.tell([view('eth0'), view('tap0', { master: 3 }), view('tap1', { kind: 'bridge' })]);
  expect(warningsOf(rig.service)).toEqual(['tap0 is a port of tap1: name tap1 in its place']);
});

test('a stop leaves nothing', async () => {
  const rig = new Rig();
  await rig.start();
  await rig.send('tap0', unsolicited);
  await rig.service.stop();
  expect(rig.packets.openIfindexes).toEqual([]);
  expect(rig.routes.text).toEqual([]);
  expect(rig.guard.protected).toBeNull();
  expect(rig.memberships.joined.size).toBe(0);
});

test('status tells stations that bring questions of ours to another segment', async () => {
  const rig = new Rig();
  await rig.start();
  const nonce = option(NdOptionType.nonce, new Uint8Array(6).fill(1)); // what was drawn for eth0
  const question = solicit({ mac: 5, source: ip('fe80::a:1') }, NEIGHBOR, [nonce]);
  await rig.send('tap0', question);
  rig.clock.advance(seconds(4));
  await rig.send('tap0', question);
  rig.clock.advance(seconds(2));
  const row = { group: 'main', mac: '02:00:00:00:00:05', from: 'eth0', to: 'tap0' };
  const { detours } = statusOf(rig.service) as { readonly detours: unknown };
  expect(detours).toEqual([{ ...row, times: 2, sinceSec: 6, idleSec: 2 }]);
  expect(statusText({ detours })).toBe(
    '\ndetours\ngroup  mac                from  to    times  sinceSec  idleSec\n' +
      'main   02:00:00:00:00:05  eth0  tap0  2      6         2\n',
  );
});

test('status tells members, neighbours, drops and what the kernel lacks', async () => {
  const rig = new Rig();
  rig.sysctls.set('net/ipv6/conf/all/forwarding', '1').set('net/ipv6/conf/eth0/accept_ra', '1');
  await rig.start(['eth0', 'tap0']);
  await rig.send('tap0', unsolicited);
  await rig.send('tap0', routerAdvert());
  expect(statusOf(rig.service)).toMatchObject({
    mode: 'route',
    guard: 'in place',
    warnings: ['eth0 ignores router advertisements while this host forwards: set its accept_ra=2'],
    groups: [{ name: 'main', received: 2, forwarded: 1, local: 0, dropped: 1, waiting: 0 }],
    members: [
      { ifname: 'eth0', role: 'upstream', state: 'open', received: 0 },
      { ifname: 'tap0', role: 'downstream', state: 'open', received: 2 },
    ],
    neighbors: [
      { address: '2001:db8::2', ifname: 'tap0', mac: '02:00:00:00:00:02', certainty: 'advertised' },
    ],
    drops: [{ reason: 'ra-downstream', count: 1, meaning: 'router advertisement on a downstream' }],
  });
});
