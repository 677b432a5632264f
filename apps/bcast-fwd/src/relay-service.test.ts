import { KernelError, seconds } from '@pp/base';
import { hex } from '@pp/wire/testing';
import { statusOf } from './status';
import { NAMES, newLan, Rig, stationMac, view } from './testing/rig';

const LAN_HOST = '192.168.77.20';
const GUEST = '100.115.92.26';

async function started(...args: ConstructorParameters<typeof Rig>): Promise<Rig> {
  const rig = new Rig(...args);
  await rig.start();
  return rig;
}

test('from the LAN to every guest: the sender is kept, a directed broadcast becomes the guest’s own', async () => {
  const rig = await started();
  rig.say('eth0', { from: LAN_HOST, sourcePort: 5000, ttl: 3, id: 99, tos: 0x10 });
  expect(rig.packetsOn('tap0')).toMatchObject([{ ttl: 3, id: 99, tos: 0x10 }]);
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:5000 > 255.255.255.255:6969 hello`]);
  expect(rig.heard('tap1')).toEqual([`${LAN_HOST}:5000 > 255.255.255.255:6969 hello`]);
  expect(rig.macs('tap0')).toEqual(['ffffffffffff']);
  rig.say('eth0', { from: LAN_HOST, sourcePort: 5000, to: '192.168.77.255' });
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:5000 > 100.115.92.27:6969 hello`]);
  expect(rig.heard('tap1')).toEqual([`${LAN_HOST}:5000 > 100.115.92.31:6969 hello`]);
  expect(rig.heard('eth0')).toEqual([]);
  expect(rig.counts()).toBe('received 2 = forwarded 2 + dropped 0 + waiting 0');
  expect(rig.service.pairs.all()).toEqual([
    { from: 'eth0', to: 'tap0', count: 2 },
    { from: 'eth0', to: 'tap1', count: 2 },
  ]);
});

test('from a guest to the LAN, at this host’s address with the guest’s port, and to no other guest', async () => {
  const rig = await started();
  rig.say('tap0', { from: GUEST, sourcePort: 5000 });
  rig.say('tap0', { from: GUEST, sourcePort: 40_000, to: '100.115.92.27' });
  expect(rig.heard('eth0')).toEqual([
    '192.168.77.2:5000 > 255.255.255.255:6969 hello',
    '192.168.77.2:40000 > 192.168.77.255:6969 hello',
  ]);
  expect(rig.heard('tap1')).toEqual([]);
});

const modes = [
  { toLan: 'preserve', port: 40_000, want: `${GUEST}:40000`, open: [] },
  { toLan: 'egress', port: 40_000, want: '192.168.77.2:40000', open: [] },
  { toLan: 'auto', port: 5000, want: '192.168.77.2:5000', open: [] },
  { toLan: 'auto', port: 40_000, want: '192.168.77.2:40000', open: ['192.168.77.2:40000'] },
  { toLan: 'auto', port: 40_001, want: '192.168.77.2:40001', open: [] }, // taken
  { toLan: 'session', port: 40_000, want: '192.168.77.2:40000', open: ['192.168.77.2:40000'] },
  { toLan: 'session', port: 5000, want: '192.168.77.2:32768', open: ['192.168.77.2:32768'] },
  { toLan: 'session', port: 40_001, want: '192.168.77.2:32768', open: ['192.168.77.2:32768'] },
] as const;

test.each(modes)(
  'to the LAN as $toLan from port $port: $want, holding $open',
  async ({ toLan, port, want, open }) => {
    const rig = await started({ toLan });
    rig.replySockets.taken.add('192.168.77.2:40001');
    rig.say('tap0', { from: GUEST, sourcePort: port });
    expect(rig.heard('eth0')).toEqual([`${want} > 255.255.255.255:6969 hello`]);
    expect(rig.replySockets.openPorts).toEqual(open);
  },
);

test('an answer goes back to the guest that asked, from who answers, and to it alone', async () => {
  const rig = await started();
  rig.say('tap0', { from: GUEST });
  rig.replySockets.deliver('192.168.77.2:40000', hex('6f6b'), LAN_HOST, 6969);
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:6969 > ${GUEST}:40000 ok`]);
  expect(rig.macs('tap0')).toEqual([stationMac(NAMES.tap0)]);
  expect(rig.heard('tap1')).toEqual([]);
  rig.replySockets.deliver('192.168.77.2:40000', hex('6f6b'), '203.0.113.1', 6969);
  expect(rig.heard('tap0')).toEqual([]); // not from the LAN
  expect(rig.service.relay.counters).toMatchObject({ replies: 1, repliesDropped: 1 });
});

test('an answer of a guest goes to the LAN at this host’s address', async () => {
  const rig = await started({ toGuests: 'session' });
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.heard('tap0')).toEqual(['100.115.92.25:40000 > 255.255.255.255:6969 hello']);
  rig.replySockets.deliver('100.115.92.25:40000', hex('6f6b'), GUEST, 6969);
  expect(rig.heard('eth0')).toEqual([`192.168.77.2:6969 > ${LAN_HOST}:40000 ok`]);
  expect(rig.macs('eth0')).toEqual([stationMac(NAMES.eth0)]);
});

test('sessions end after a while, with their link, and with their address', async () => {
  const rig = await started();
  const open = (): readonly string[] => rig.replySockets.openPorts;
  rig.say('tap0', { from: GUEST });
  rig.clock.advance(seconds(31));
  expect(open()).toEqual([]);
  rig.say('tap0', { from: GUEST });
  expect(open()).toEqual(['192.168.77.2:40000']);
  rig.tell([view('eth0'), view('tap1')]);
  expect(open()).toEqual([]);
  rig.tell([view('eth0'), view('tap0')]);
  rig.say('tap0', { from: GUEST });
  rig.tell(
    [view('eth0'), view('tap0')],
    [
      { ifindex: 1, cidr: '192.168.77.3/24', usable: true },
      { ifindex: 2, cidr: '100.115.92.25/30', usable: true },
    ],
  );
  expect(open()).toEqual([]);
  rig.say('tap0', { from: GUEST, payload: 'again' });
  expect(open()).toEqual(['192.168.77.3:40000']);
  rig.service.stop();
  expect(open()).toEqual([]);
});

test('a guest that uses many ports holds few, and new ones at a rate', async () => {
  const rig = await started({ rate: 0 }, { sessionsPerSource: 4, sessionsPerSecond: 10 });
  for (let port = 40_000; port < 40_100; port++) rig.say('tap0', { from: GUEST, sourcePort: port });
  expect(rig.heard('eth0')).toHaveLength(100);
  expect(rig.replySockets.openPorts).toHaveLength(4);
  expect(rig.service.sessions.refused).toBe(90);
});

test('addresses change while it runs', async () => {
  const rig = await started();
  rig.tell(
    [view('eth0'), view('tap0')],
    [
      { ifindex: 1, cidr: '10.1.2.3/16', usable: true },
      { ifindex: 2, cidr: '100.115.92.25/30', usable: true },
    ],
  );
  rig.say('eth0', { from: '10.1.9.9', to: '10.1.255.255' });
  expect(rig.heard('tap0')).toEqual(['10.1.9.9:40000 > 100.115.92.27:6969 hello']);
  rig.say('tap0', { from: GUEST, payload: 'hi' });
  expect(rig.heard('eth0')).toEqual(['10.1.2.3:40000 > 255.255.255.255:6969 hi']);
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.trace.at(-1)).toContain('dropped off-link');
});

test('an interface without an address receives and is sent to', async () => {
  const rig = await started();
  rig.tell([view('eth0'), view('tap0')], []);
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.heard('tap0')).toEqual([`${LAN_HOST}:40000 > 255.255.255.255:6969 hello`]);
  rig.say('tap0', { from: GUEST, payload: 'hi' });
  expect(rig.heard('eth0')).toEqual([]);
  expect(rig.counts()).toBe('received 2 = forwarded 1 + dropped 1 + waiting 0: no-source 1');
});

test('interfaces come, go and come back; each is awaited once in the log', async () => {
  const rig = new Rig();
  await rig.start([]);
  const lines = (): readonly string[] => rig.log.lines.filter((line) => line.includes('awaited'));
  expect(lines()).toEqual([
    'info interface.awaited ifname=eth0 why=absent',
    'info interface.awaited ifname=tap* why=absent',
  ]);
  rig.tell([view('eth0'), view('tap0', { running: false })]);
  rig.tell([view('eth0'), view('tap0', { running: false })]);
  expect(rig.service.missing).toEqual(new Map([['tap0', 'down']]));
  expect(rig.packets.openIfindexes).toEqual([1]);
  expect(lines()).toHaveLength(3);
  rig.tell([view('eth0'), view('tap0')]);
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.heard('tap0')).toHaveLength(1);
  rig.tell([view('eth0')]);
  rig.say('eth0', { from: LAN_HOST, payload: 'x' });
  expect(rig.trace.at(-1)).toContain('dropped no-exit');
  expect(rig.packets.openIfindexes).toEqual([1]);
});

/** Of the interfaces, as the status says. */
function states({ service }: Rig): readonly string[] {
  const { interfaces } = statusOf(service) as {
    readonly interfaces: readonly { readonly ifname: string; readonly state: string }[];
  };
  return interfaces.map(({ ifname, state }) => `${ifname} ${state}`);
}

test('a link that there are too few descriptors for is tried again', async () => {
  const rig = new Rig();
  jest.spyOn(rig.packets, 'open').mockImplementationOnce(() => {
    throw new KernelError('EMFILE', 'packet socket');
  });
  await rig.start();
  expect(rig.packets.openIfindexes).toHaveLength(2);
  rig.clock.advance(seconds(1));
  expect(rig.packets.openIfindexes).toHaveLength(3);
});

test('a port that cannot be opened is tried again, and the status says so', async () => {
  const rig = new Rig();
  rig.packets.unplug(NAMES.tap0);
  await rig.start(['eth0', 'tap0']);
  expect(rig.packets.openIfindexes).toEqual([1]);
  expect(states(rig)).toEqual(['eth0 relayed', 'tap0 refused']);
  rig.plug('tap0', newLan('tap0'));
  rig.clock.advance(seconds(1));
  expect(rig.packets.openIfindexes).toEqual([1, 2]);
  expect(states(rig)).toEqual(['eth0 relayed', 'tap0 relayed']);
});

test.each([
  { direction: 'inbound', lan: 1, guest: 0 },
  { direction: 'outbound', lan: 0, guest: 1 },
] as const)('one way: $direction', async ({ direction, lan, guest }) => {
  const rig = await started({ direction });
  rig.say('eth0', { from: LAN_HOST });
  rig.say('tap0', { from: GUEST, payload: 'hi' });
  expect([rig.heard('tap0').length, rig.heard('eth0').length]).toEqual([lan, guest]);
});

test('a link without Ethernet: bare packets, to its targets', async () => {
  const rig = new Rig({ targets: new Map([['wg0', [0x0a090002, 0x0a090003]]]) });
  await rig.start(['eth0', 'wg0'], [{ lan: 'eth0', guest: 'wg0' }]);
  rig.say('eth0', { from: LAN_HOST });
  expect(rig.heard('wg0')).toEqual([
    `${LAN_HOST}:40000 > 10.9.0.2:6969 hello`,
    `${LAN_HOST}:40000 > 10.9.0.3:6969 hello`,
  ]);
  rig.say('wg0', { from: '10.9.0.2', payload: 'from afar' });
  expect(rig.heard('eth0')).toEqual(['192.168.77.2:40000 > 255.255.255.255:6969 from afar']);
  rig.replySockets.deliver('192.168.77.2:40000', hex('6f6b'), LAN_HOST, 6969);
  expect(rig.heard('wg0')).toEqual([`${LAN_HOST}:6969 > 10.9.0.2:40000 ok`]);
  rig.say('wg0', { from: '10.9.0.2', to: '10.9.0.1' }); // to this host
  expect(rig.counts()).toBe('received 2 = forwarded 2 + dropped 0 + waiting 0');
});

test.each(['ENOKEY', 'EDESTADDRREQ', 'EPERM'] as const)(
  'a station that the kernel refuses with %s (WireGuard has no peer for it) keeps no other from hearing',
  async (code) => {
    const rig = new Rig({ targets: new Map([['wg0', [0x0a090003, 0x0a090002, 0x0a090004]]]) });
    rig.packets.refusals.set(NAMES.wg0, (frame) => (frame[19] === 2 ? code : null));
    await rig.start(['eth0', 'wg0'], [{ lan: 'eth0', guest: 'wg0' }]);
    rig.say('eth0', { from: LAN_HOST });
    expect(rig.heard('wg0').map((text) => text.replace(/.*> | hello/g, ''))).toEqual([
      '10.9.0.3:6969',
      '10.9.0.4:6969',
    ]);
    expect(rig.service.sendFailures).toBe(1);
  },
);

test('fragments are put together, and cut again for the way out', async () => {
  const rig = await started();
  rig.tell([view('eth0'), view('tap0', { mtu: 1000 })]);
  rig.say('eth0', { from: LAN_HOST, payload: new Uint8Array(2500), mtu: 1500, id: 0x77 });
  expect(rig.packetsOn('tap0').map(({ id }) => id)).toEqual([0x77, 0x77, 0x77]);
  expect(rig.heard('tap0').map((text) => text.replace(/.* at/, 'at'))).toEqual([
    'at 0: 976',
    'at 976: 976',
    'at 1952: 556',
  ]);
  expect(rig.counts()).toBe('received 2 = forwarded 2 + dropped 0 + waiting 0');
});

test('the longest datagram that there is crosses whole, to every guest', async () => {
  const rig = await started({ rate: 0 });
  const payload = Uint8Array.from({ length: 65_507 }, (_, i) => i * 7);
  rig.say('eth0', { from: LAN_HOST, payload });
  for (const name of ['tap0', 'tap1'] as const) {
    const whole = new Uint8Array(8 + payload.length);
    for (const part of rig.packetsOn(name)) whole.set(part.payload, part.fragmentOffset);
    expect(rig.packetsOn(name)).toHaveLength(45);
    expect(Buffer.compare(whole.subarray(8), payload)).toBe(0);
  }
  expect(rig.counts()).toBe('received 45 = forwarded 45 + dropped 0 + waiting 0');
});

test('what is whole and too large for the way out is cut, with a number of its own', async () => {
  const rig = await started();
  rig.tell([view('eth0'), view('tap0', { mtu: 1000 })]);
  rig.say('eth0', { from: LAN_HOST, payload: new Uint8Array(1400), id: 0 });
  const packets = rig.packetsOn('tap0');
  expect(packets).toHaveLength(2);
  expect(packets[0]?.id).not.toBe(0);
  expect(packets.every(({ id, dontFragment }) => id === packets[0]?.id && !dontFragment)).toBe(true);
});

test('fragments that stay alone are given up in time', async () => {
  const rig = await started();
  const [first] = rig.frames('eth0', { from: LAN_HOST, payload: new Uint8Array(2500) });
  rig.send('eth0', first ?? new Uint8Array(0));
  expect(rig.counts()).toBe('received 1 = forwarded 0 + dropped 0 + waiting 1');
  rig.clock.advance(seconds(6));
  expect(rig.counts()).toBe('received 1 = forwarded 0 + dropped 1 + waiting 0: fragment-timeout 1');
});

test('IPv4 options are kept, but no source route', async () => {
  const rig = await started();
  rig.say('eth0', { from: LAN_HOST, options: hex('94040000') });
  expect(rig.packetsOn('tap0')[0]?.options).toEqual(hex('94040000'));
  rig.say('eth0', { from: LAN_HOST, options: hex('8303040000000000'), payload: 'x' });
  expect(rig.trace.at(-1)).toContain('dropped source-route');
});

test('a mark is put on, and what bears any mark is not relayed again', async () => {
  for (const [mark, ttl, tos] of [
    [{ field: 'ttl', id: 5 }, 69, 2],
    [{ field: 'dscp', id: 5 }, 64, 22],
  ] as const) {
    const rig = await started({ mark });
    rig.say('eth0', { from: LAN_HOST, tos: 2 });
    expect(rig.packetsOn('tap0')).toMatchObject([{ ttl, tos }]);
    rig.say('eth0', mark.field === 'ttl' ? { from: LAN_HOST, ttl: 66 } : { from: LAN_HOST, tos: 4 });
    expect(rig.trace.at(-1)).toContain('dropped marked');
  }
});
