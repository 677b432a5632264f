import { SeededRandom } from '@pp/base/testing';
import {
  encodeEthernet,
  encodeIpv6,
  ETHERTYPE_IPV6,
  isMulticast,
  multicastMac,
  NextHeader,
  VIRTIO_NET_HEADER,
} from '@pp/wire';
import { broken, MESSAGES, ROUNDS, SEED } from './testing/broken';
import {
  advertise,
  DOWN,
  GUEST,
  ip,
  link,
  mac,
  ourMac,
  routerAdvert,
  Scene,
  solicit,
  UP,
} from './testing/scene';
import { LIMITS } from './limits';

const hex4 = (n: number): string => (n & 0xffff).toString(16);

test('a scan of the prefix does not disturb neighbours that answer, and is not remembered', () => {
  const scene = new Scene();
  const guest = { mac: 2, source: GUEST };
  scene.receive(DOWN, advertise(guest, ip('fe80::a:2'), DOWN));
  for (let i = 0; i < 20_000; i++) {
    const scanner = { mac: 9, source: ip(`2001:db8::9:${hex4(i)}`) }; // a new source each time, too
    scene.receive(UP, solicit(scanner, ip(`2001:db8::5:${hex4(i)}`)));
    if (i % 1000 === 0) scene.taken();
  }
  expect(scene.group.state.table.size).toBeLessThanOrEqual(LIMITS.neighborsPerMac + 1);
  expect(scene.group.state.table.get(GUEST)).toMatchObject({ ifindex: DOWN, mac: mac(2) });
  expect(scene.group.state.pending.size).toBe(0);
});

test(`broken frames neither throw nor leak past the checks of a receiver (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const scene = new Scene();
  for (let round = 0; round < ROUNDS; round++) {
    const frame = broken(random.pick(MESSAGES), random);
    scene.receive(random.pick([UP, DOWN]), frame, {
      checksumReady: random.below(2) === 0,
      outgoing: random.below(8) === 0,
    });
    scene.taken(); // every frame sent passes `admit` with its checksum, or this throws
    if (random.below(50) === 0) scene.pass(0.2);
  }
  const { received, forwarded, local, droppedTotal } = scene.group.state.counters;
  expect(received).toBe(ROUNDS);
  expect(forwarded + local + droppedTotal + scene.group.state.pending.waiting).toBe(received);
});

/** Datagrams of bridge mode, between nodes of all segments, to groups, and behind extension headers. */
const DATA_SEEDS = ['2001:db8::2', '2001:db8::9', 'fe80::1', 'ff02::fb', '2001:db8:ffff::1'].flatMap((to) =>
  [17, NextHeader.hopByHop, NextHeader.fragment].map((nextHeader) => {
    const [source, destination] = [ip('2001:db8::7'), ip(to)];
    const payload = Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(1400));
    const packet = { trafficClass: 0, flowLabel: 0, nextHeader, hopLimit: 64, source, destination, payload };
    const macs = {
      source: mac(7),
      destination: isMulticast(destination) ? multicastMac(destination) : ourMac(DOWN),
    };
    return encodeEthernet({ ...macs, etherType: ETHERTYPE_IPV6, payload: encodeIpv6(packet) });
  }),
);

test(`broken packets of bridge mode neither throw nor get lost in the counters (seed ${SEED})`, () => {
  const random = new SeededRandom(SEED);
  const scene = new Scene({ mode: 'bridge', links: [link(UP, { mtu: 1300 }), link(DOWN)] });
  scene.receive(UP, routerAdvert());
  const rounds = Math.ceil(ROUNDS / 4); // they are long
  for (let round = 0; round < rounds; round++) {
    const offload = Uint8Array.from({ length: VIRTIO_NET_HEADER }, () =>
      random.below(4) > 0 ? 0 : random.below(256),
    );
    scene.carry(random.pick([UP, DOWN]), broken(random.pick(DATA_SEEDS), random), {}, offload);
    scene.taken();
    if (random.below(50) === 0) scene.pass(0.2);
  }
  const { received, forwarded, local, droppedTotal } = scene.group.state.counters;
  expect(received).toBe(rounds + 1);
  expect(forwarded + local + droppedTotal + scene.group.state.pending.waiting).toBe(received);
  expect(forwarded).toBeGreaterThan(rounds / 100);
});
