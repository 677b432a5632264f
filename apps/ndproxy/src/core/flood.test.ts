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
import { LocationTable } from './location-table';
import { LIMITS } from './limits';
import { millis, seconds } from '@pp/base';

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

describe('the table', () => {
  const sighting = (n: number, at: number, certainty: 'advertised' | 'used', behind = n) => ({
    address: ip(`2001:db8::${hex4(n)}`),
    ifindex: at,
    mac: Uint8Array.of(2, 0, 0, 0, behind >> 8, behind),
    certainty,
    override: true,
  });
  const tableOf = (limits: Partial<typeof LIMITS>): LocationTable =>
    new LocationTable({ ...LIMITS, ...limits }, () => undefined);

  test('holds so many neighbours of an interface; those that only asked leave first', () => {
    const table = tableOf({ neighborsPerInterface: 3 });
    table.learn(sighting(1, UP, 'advertised'), millis(0));
    for (const n of [2, 3, 4, 5]) table.learn(sighting(n, UP, 'used'), seconds(n * 10));
    table.learn(sighting(6, DOWN, 'used'), seconds(60));
    expect([...table.entries()].map(({ address }) => address[15])).toEqual([1, 4, 5, 6]);
  });

  test('holds so many behind one Ethernet address', () => {
    const table = tableOf({ neighborsPerMac: 2 });
    table.learn(sighting(1, UP, 'advertised', 7), millis(0));
    for (const n of [2, 3, 4]) table.learn(sighting(n, UP, 'used', 7), seconds(n * 10));
    table.learn(sighting(5, UP, 'used', 8), seconds(50));
    expect([...table.entries()].map(({ address }) => address[15])).toEqual([1, 4, 5]);
  });

  test('who was just heard keeps its place, but for one who is surer', () => {
    const table = tableOf({ neighborsPerInterface: 2 });
    for (const n of [1, 2, 3]) table.learn(sighting(n, UP, 'used'), millis(n));
    expect([...table.entries()].map(({ address }) => address[15])).toEqual([1, 2]);
    table.learn(sighting(4, UP, 'advertised'), millis(4));
    expect([...table.entries()].map(({ address }) => address[15])).toEqual([2, 4]);
  });

  test('when all have answered, the oldest leaves', () => {
    const table = tableOf({ neighborsPerInterface: 2 });
    for (const n of [1, 2, 3]) table.learn(sighting(n, UP, 'advertised'), seconds(n * 10));
    expect([...table.entries()].map(({ address }) => address[15])).toEqual([2, 3]);
  });
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
