import { encodeEthernet, encodeIpv6, ETHERTYPE_IPV6, NaFlag, NextHeader, type Ipv6Packet } from '@pp/wire';
import { hex } from '@pp/wire/testing';
import {
  advertise,
  DOWN,
  DOWN2,
  GUEST,
  ip,
  link,
  mac,
  NEIGHBOR,
  ourMac,
  routerAdvert,
  Scene,
  solicit,
  UP,
  type SceneOptions,
} from './testing/scene';

const UDP = 17;
const guest = { mac: 2, source: GUEST };
const neighbor = { mac: 9, source: NEIGHBOR };

/** A datagram of 8 bytes and `more`. */
const datagram = (over: Partial<Ipv6Packet> = {}, more = 0): Uint8Array =>
  encodeIpv6({
    trafficClass: 0x5a,
    flowLabel: 0x12345,
    nextHeader: UDP,
    hopLimit: 7,
    source: GUEST,
    destination: NEIGHBOR,
    payload: Uint8Array.of(0x10, 0, 0x10, 0, 0, 8, 0, 0, ...new Uint8Array(more)),
    ...over,
  });

const frame = (packet: Uint8Array, to: Uint8Array = ourMac(DOWN), from = 2): Uint8Array =>
  encodeEthernet({ source: mac(from), destination: to, etherType: ETHERTYPE_IPV6, payload: packet });

const toGroup = (group: string): Uint8Array => {
  const destination = ip(group);
  return frame(datagram({ destination }), Uint8Array.of(0x33, 0x33, ...destination.subarray(12)));
};

/** Both ends are known. */
function bridge(options: SceneOptions = {}): Scene {
  const scene = new Scene({ mode: 'bridge', ...options });
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  scene.receive(UP, advertise(neighbor, GUEST, UP));
  scene.taken();
  return scene;
}

test('a packet goes to where its destination is, all of it as it came but the Ethernet header', () => {
  const scene = bridge();
  const sent: Uint8Array[] = [];
  const whole = Uint8Array.of(...hex('01020304050600000000'), ...frame(datagram()));
  for (const action of scene.group.stepData(DOWN, whole, { ...FACTS }, scene.now))
    if (action.do === 'carry') sent.push(action.frame);
  expect(sent).toEqual([
    Uint8Array.of(...hex('01020304050600000000'), ...mac(9), ...ourMac(UP), 0x86, 0xdd, ...datagram()),
  ]);
});

const FACTS = { outgoing: false, vlan: 0, checksumReady: true, truncated: false };

test('a packet to a group goes to all other segments', () => {
  const scene = bridge();
  scene.carry(DOWN, toGroup('ff02::1:3'));
  expect(scene.taken()).toEqual([
    'up: aa:01>33:00:01:00:03 2001:db8::2 > ff02::1:3 next=17 hops=7 8 bytes',
    'down2: aa:03>33:00:01:00:03 2001:db8::2 > ff02::1:3 next=17 hops=7 8 bytes',
  ]);
});

test('a group packet from "::", as of multicast listeners, too', () => {
  const scene = bridge();
  const report = datagram({ source: ip('::'), destination: ip('ff02::16') });
  scene.carry(DOWN, frame(report, Uint8Array.of(0x33, 0x33, 0, 0, 0, 0x16)));
  expect(scene.outcome).toBe('forwarded');
});

test('whoever sends is known from then on, and its packets wait for nobody', () => {
  const scene = new Scene({ mode: 'bridge' });
  scene.carry(DOWN, toGroup('ff02::1:3'));
  expect(scene.taken()).toContain('located 2001:db8::2 down');
  scene.carry(UP, frame(datagram({ source: NEIGHBOR, destination: GUEST }), ourMac(UP), 9));
  expect(scene.taken()).toContain('down: aa:02>02 2001:db8::9 > 2001:db8::2 next=17 hops=7 8 bytes');
});

test('an unknown destination is asked for while the packet waits', () => {
  const scene = new Scene({ mode: 'bridge' });
  scene.carry(DOWN, frame(datagram()));
  expect(scene.outcome).toBe('queued');
  expect(scene.taken().filter((line) => line.includes(' NS '))).toHaveLength(2); // on the two other segments
  scene.receive(UP, advertise(neighbor, ip('fe80::a:1'), UP));
  expect(scene.taken()).toContain('up: aa:01>09 2001:db8::2 > 2001:db8::9 next=17 hops=7 8 bytes');
  expect(scene.group.state.counters).toMatchObject({ received: 2, forwarded: 1, local: 1 });
});

test('one that is too long to wait is dropped, but its destination asked for, three times', () => {
  const scene = new Scene({ mode: 'bridge', links: [link(UP, { mtu: 9000 }), link(DOWN, { mtu: 9000 })] });
  scene.carry(DOWN, frame(datagram({}, 4000)));
  expect(scene.outcome).toBe('queue-full');
  scene.pass(0.7);
  const asked = scene.taken().filter((line) => line.includes(' NS '));
  expect(asked.map((line) => line.slice(0, 3))).toEqual(['up:', 'up:', 'up:']);
  scene.receive(UP, advertise(neighbor, ip('fe80::a:1'), UP));
  scene.carry(DOWN, frame(datagram({}, 4000)));
  expect(scene.outcome).toBe('forwarded');
});

test('a packet for this host is its own', () => {
  const scene = bridge();
  scene.carry(DOWN, frame(datagram({ destination: ip('2001:db8::a') })));
  expect([scene.outcome, scene.taken()]).toEqual(['local', []]);
});

describe('a packet that does not fit the way out', () => {
  const links = [link(UP, { mtu: 1400 }), link(DOWN)];
  const big = frame(datagram({}, 1450 - 48));

  test.each([
    { name: 'the only segment', in: links, want: 'too-big' },
    { name: 'one of two segments', in: [...links, link(DOWN2)], want: 'forwarded' },
    {
      name: 'one of two segments, the last',
      in: [link(DOWN), link(DOWN2), link(UP, { mtu: 1400 })],
      want: 'forwarded',
    },
  ])('to a group, and does not fit $name: $want', ({ in: segments, want }) => {
    const scene = bridge({ links: segments });
    const destination = ip('ff02::1:3');
    const all = Uint8Array.of(0x33, 0x33, 0, 1, 0, 3);
    scene.carry(DOWN, frame(datagram({ destination }, 1450 - 48), all));
    expect(scene.outcome).toBe(want);
  });

  test('its sender is told by how much', () => {
    const scene = bridge({ links });
    scene.carry(DOWN, big);
    expect(scene.outcome).toBe('too-big');
    expect(scene.taken()).toEqual([
      'down: aa:02>02 2001:db8::a > 2001:db8::2 next=58 hops=64 1240 bytes', // 1280 with its header
    ]);
  });

  test('the error is as in RFC 4443 §3.2', () => {
    const scene = bridge({ links });
    const whole = Uint8Array.of(...new Uint8Array(10), ...big);
    const [error] = scene.group.stepData(DOWN, whole, FACTS, scene.now);
    if (error?.do !== 'send') throw new Error('no error');
    const icmp = error.frame.subarray(54);
    expect([icmp[0], icmp[1]]).toEqual([2, 0]);
    expect([...icmp.subarray(4, 8)]).toEqual([0, 0, 1400 >>> 8, 1400 & 0xff]);
    expect(icmp.subarray(8)).toEqual(datagram({}, 1450 - 48).subarray(0, 1232));
  });

  test.each([
    {
      name: 'an error',
      packet: datagram({ nextHeader: NextHeader.icmp6, payload: Uint8Array.of(1, ...new Uint8Array(1409)) }),
    },
    { name: 'the 51st in a second', packet: datagram({}, 1450 - 48), before: 50 },
  ])('$name is answered by none', ({ packet, before = 0 }) => {
    const scene = bridge({ links });
    for (let i = 0; i < before; i++) scene.carry(DOWN, big);
    scene.taken();
    scene.carry(DOWN, frame(packet));
    expect([scene.outcome, scene.taken()]).toEqual(['too-big', []]);
  });

  test('what hardware will cut into segments that fit is no such packet', () => {
    const offload = new Uint8Array(10);
    offload[1] = 5; // VIRTIO_NET_HDR_GSO_UDP_L4
    new Uint16Array(offload.buffer).set([1300, 54], 2);
    const scene = bridge({ links });
    scene.carry(DOWN, frame(datagram({}, 20_000)), {}, offload);
    expect(scene.outcome).toBe('forwarded');
    new Uint16Array(offload.buffer).set([1400, 54], 2);
    scene.carry(DOWN, frame(datagram({}, 20_000)), {}, offload);
    expect(scene.outcome).toBe('too-big');
  });
});

/** A solicitation behind two headers; the socket's filter sees one. */
const hidden = (first: number): Uint8Array =>
  datagram({
    nextHeader: first,
    payload: Uint8Array.of(
      ...hex('3c00000000000000 3a00000000000000'),
      ...solicit(guest, NEIGHBOR).subarray(54),
    ),
  });

/** The same behind so many headers that nobody sends as many. */
const behindMany = (headers: number): Uint8Array =>
  datagram({
    nextHeader: NextHeader.destination,
    payload: Uint8Array.of(
      ...Array.from({ length: headers }, (_, i) => [i + 1 < headers ? 60 : 58, 0, 0, 0, 0, 0, 0, 0]).flat(),
      ...solicit(guest, NEIGHBOR).subarray(54),
    ),
  });

/** From its fragment header on: next header, zero, offset and M, and the number of the packet. */
const fragment = (payload: string): Uint8Array =>
  datagram({ nextHeader: NextHeader.fragment, payload: hex(payload) });

test('a later fragment passes: nothing can be read in it, and without its first it is nothing', () => {
  const scene = bridge();
  scene.carry(DOWN, frame(fragment('3c000009 00000001 3a')));
  expect(scene.outcome).toBe('forwarded');
});

test.each([
  { reason: 'truncated', facts: { truncated: true } },
  { reason: 'vlan', facts: { vlan: 7 } },
  { reason: 'ip-version', packet: Uint8Array.of(0x45, ...datagram().subarray(1)) },
  { reason: 'ip-length', packet: datagram().subarray(0, 47) },
  { reason: 'source-address', packet: datagram({ source: ip('ff02::2') }) },
  { reason: 'source-address', packet: datagram({ source: ip('::') }) },
  { reason: 'destination-address', packet: datagram({ destination: ip('::1') }) },
  { reason: 'destination-address', packet: datagram({ destination: ip('ff01::1') }) },
  { reason: 'group-frame', to: Uint8Array.of(0x33, 0x33, 0, 0, 0, 1) },
  { reason: 'own-source', packet: datagram({ source: ip('2001:db8::a') }) },
  { reason: 'extension-header', packet: hidden(NextHeader.hopByHop) },
  { reason: 'fragment', packet: hidden(NextHeader.fragment) },
  { reason: 'extension-header', packet: behindMany(9) },
  { reason: 'fragment', packet: fragment('3c000001 00000001') },
  { reason: 'fragment', packet: fragment('3c000001 00000001 3a000000') },
  { reason: 'fragment', packet: fragment('3c000001 00000001 3a00000000000000') },
  { reason: 'same-segment', packet: datagram({ destination: GUEST, source: ip('2001:db8::3') }) },
] as const)('$reason: dropped and counted', (row) => {
  const { reason } = row;
  const scene = bridge();
  scene.carry(
    DOWN,
    frame('packet' in row ? row.packet : datagram(), 'to' in row ? row.to : undefined),
    'facts' in row ? row.facts : {},
  );
  expect(scene.outcome).toBe(reason);
  expect(scene.taken().filter((line) => !line.startsWith('located'))).toEqual([]);
});

test.each([
  { reason: 'own-mac', source: ourMac(UP) },
  { reason: 'group-source', source: Uint8Array.of(3, 0, 0, 0, 0, 1) },
])('$reason: dropped and counted', ({ reason, source }) => {
  const scene = bridge();
  const [destination, payload] = [ourMac(DOWN), datagram()];
  scene.carry(DOWN, encodeEthernet({ source, destination, etherType: ETHERTYPE_IPV6, payload }));
  expect([scene.outcome, scene.taken()]).toEqual([reason, []]);
});

test('nothing passes a closed gate', () => {
  const scene = new Scene({ mode: 'bridge', open: false });
  scene.taken();
  scene.carry(DOWN, toGroup('ff02::1:3'));
  expect(scene.outcome).toBe('gate-closed');
  scene.carry(UP, toGroup('ff02::1:3'));
  expect(scene.outcome).toBe('looped'); // a copy of the first, by another way
});

test('mDNS and SSDP are left to the service that relays them', () => {
  const scene = bridge();
  const payload = Uint8Array.of(0x14, 0xe9, 0x14, 0xe9, 0, 8, 0, 0);
  const mdns = datagram({ destination: ip('ff02::fb'), payload });
  const group = Uint8Array.of(0x33, 0x33, 0, 0, 0, 0xfb);
  scene.carry(DOWN, frame(mdns, group));
  expect(scene.outcome).toBe('forwarded');
  scene.pass(1);
  scene.group.state.leavesDiscovery = true;
  scene.carry(DOWN, frame(mdns, group));
  expect(scene.outcome).toBe('relayed-elsewhere');
  scene.carry(DOWN, toGroup('ff02::1:3'));
  expect(scene.outcome).toBe('forwarded');
});

test('the same group packet from another segment just after is a copy that came round', () => {
  const scene = bridge();
  scene.carry(DOWN, toGroup('ff02::1:3'));
  scene.carry(DOWN, toGroup('ff02::1:3')); // said twice by who said it first
  expect(scene.outcome).toBe('forwarded');
  scene.carry(DOWN2, toGroup('ff02::1:3'));
  expect(scene.outcome).toBe('looped');
  scene.pass(1);
  scene.carry(DOWN2, toGroup('ff02::1:3'));
  expect(scene.outcome).toBe('forwarded');
});

describe('a destination beyond the link', () => {
  const far = ip('2001:db8:ffff::1');
  const out = frame(datagram({ destination: far }));
  const HIGH = 1 << 3;

  test('goes to the router, and what comes from there is no neighbour', () => {
    const scene = bridge();
    scene.receive(UP, routerAdvert());
    scene.taken();
    scene.carry(DOWN, out);
    expect(scene.taken()).toEqual(['up: aa:01>01 2001:db8::2 > 2001:db8:ffff::1 next=17 hops=7 8 bytes']);
    scene.carry(UP, frame(datagram({ source: far, destination: GUEST }), ourMac(UP), 1));
    expect(scene.outcome).toBe('forwarded');
    expect(scene.group.state.table.get(far)).toBeUndefined();
  });

  test('goes to the more preferred of two routers, as long as it is one', () => {
    const scene = bridge();
    scene.receive(UP, routerAdvert());
    const other = { mac: 5, source: ip('fe80::5') };
    scene.receive(
      UP,
      routerAdvert({ flags: HIGH, lifetimeSec: 10, options: [] }, ip('ff02::1'), other.source),
    );
    scene.receive(UP, advertise(other, ip('ff02::1'), UP, { flags: NaFlag.override }));
    scene.taken();
    scene.carry(DOWN, out);
    expect(scene.taken()[0]).toContain('up: aa:01>05');
    scene.pass(11);
    scene.carry(DOWN, out);
    expect(scene.taken().at(-1)).toContain('up: aa:01>01');
  });

  test('without a router it is asked for as any other', () => {
    const scene = bridge();
    scene.carry(DOWN, out);
    expect(scene.outcome).toBe('queued');
  });

  test('in an announced prefix it is a neighbour', () => {
    const scene = bridge();
    scene.receive(UP, routerAdvert());
    scene.carry(DOWN, frame(datagram({ destination: ip('2001:db8::77') })));
    expect(scene.outcome).toBe('queued');
  });
});
