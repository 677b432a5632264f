import { SeededRandom } from '@pp/base/testing';
import { ip } from './testing/scene';
import { Bridge, Host, Segment, World } from './testing/parallel';

const LAN = 1;
const GUESTS = 2;
const GROUP = ip('ff02::1:3');

interface Parallel {
  readonly world: World;
  readonly lan: Segment;
  readonly guests: Segment;
  readonly first: Bridge;
  readonly second: Bridge;
  readonly host: Host;
  readonly guest: Host;
  /** Frames on both segments so far. */
  readonly carried: () => number;
}

/** host -- LAN == two bridges == GUESTS -- guest. Without `random` each process reads its socket on the LAN first. */
function parallel(random: SeededRandom | null = null): Parallel {
  const world = new World(random);
  const [lan, guests] = [new Segment(), new Segment()];
  const first = new Bridge(world, 1, [lan, guests]);
  const second = new Bridge(world, 2, [lan, guests]);
  const host = new Host(world, 9, lan);
  const guest = new Host(world, 2, guests);
  world.pass(1000);
  return { world, lan, guests, first, second, host, guest, carried: () => lan.carried + guests.carried };
}

/** Each bridge has it from the other that the host is behind the other, and the guest sends by the second. */
function misled(): Parallel {
  const scene = parallel();
  const { world, first, second, host, guest } = scene;
  first.believe(host.address, GUESTS, second.mac(GUESTS));
  second.believe(host.address, LAN, first.mac(LAN));
  guest.use(host.address, second.mac(GUESTS));
  world.pass(1000);
  return scene;
}

/** For longer than messages are remembered; then it gets all at once. */
function holdUp({ world, first }: Parallel, ms = 600): void {
  first.isHeldUp = true;
  world.pass(ms);
  first.isHeldUp = false;
}

interface Row {
  readonly name: string;
  readonly send: (scene: Parallel) => void;
}

const TO_ALL: readonly Row[] = [
  {
    name: 'a packet to a group',
    send: ({ guest }) => {
      guest.send(GROUP, 1);
    },
  },
  {
    name: 'a solicitation',
    send: ({ guest }) => {
      guest.ask(ip('2001:db8::77'));
    },
  },
];

test.each(TO_ALL)('$name ends, though one of two bridges was held up', ({ send }) => {
  const scene = parallel();
  const before = scene.carried();
  send(scene);
  holdUp(scene);
  scene.world.pass(100);
  expect(scene.carried() - before).toBeLessThan(100);
});

describe('each of two bridges believes that the host is behind the other', () => {
  test.each([
    { name: 'a packet to it goes round once', heldUpMs: 0, most: 3 + 8 },
    { name: 'a packet to it ends, though one was held up meanwhile', heldUpMs: 600, most: 100 },
  ])('$name', ({ heldUpMs, most }) => {
    const scene = misled();
    const before = scene.carried();
    scene.guest.send(scene.host.address, 1);
    holdUp(scene, heldUpMs);
    scene.world.pass(100);
    expect(scene.carried() - before).toBeLessThan(most);
    expect(scene.first.dropped('looped') + scene.second.dropped('looped')).toBeGreaterThan(0);
  });

  test.each([
    { name: 'by the second', bridge: 'second', heldUpMs: 0 },
    { name: 'by the first', bridge: 'first', heldUpMs: 0 },
    { name: 'by the second, and the first was held up', bridge: 'second', heldUpMs: 600 },
    { name: 'by the first, and the first was held up', bridge: 'first', heldUpMs: 600 },
  ] as const)('packets $name come through again, though no node asks', ({ bridge, heldUpMs }) => {
    const scene = misled();
    const { world, host, guest, first, second } = scene;
    guest.send(host.address, 1);
    holdUp(scene, heldUpMs);
    world.pass(100);
    guest.use(host.address, scene[bridge].mac(GUESTS));
    const asked = first.originated + second.originated;
    for (let mark = 2; mark <= 9; mark++) {
      guest.send(host.address, mark);
      world.pass(10);
    }
    expect(host.got).toEqual(expect.arrayContaining([4, 5, 6, 7, 8, 9]));
    expect(first.originated + second.originated - asked).toBeLessThan(12);
  });
});

test('a packet to a group ends also where no bridge has an address to look for others with', () => {
  const scene = parallel();
  for (const bridge of [scene.first, scene.second]) bridge.loseAddresses();
  const before = scene.carried();
  scene.guest.send(GROUP, 1);
  holdUp(scene);
  scene.world.pass(1000);
  expect(scene.carried() - before).toBeLessThan(3000);
});

describe('what another bridge passes on, once it is known as one', () => {
  /** The host is known; the guest is not. */
  function acquainted(): Parallel {
    const scene = parallel();
    scene.host.ask(ip('2001:db8::77'));
    scene.world.pass(1000);
    return scene;
  }
  const itself = `${LAN} 020000000009`;

  test('is told of once for each of its interfaces', () => {
    const { world, first, second, host } = acquainted();
    world.pass(70_000);
    host.ask(ip('2001:db8::77'));
    world.pass(100);
    const twice = ['detour.found', 'detour.found'];
    expect([first.told, second.told]).toEqual([twice, twice]);
  });

  test('does not move a node that was heard itself', () => {
    const { world, first, second, host } = acquainted();
    expect(first.whereIs(host.address)).toBe(itself);
    first.believe(host.address, GUESTS, second.mac(GUESTS));
    expect(first.whereIs(host.address)).toBe(itself);
    world.pass(31_000); // so long nothing was heard of it
    first.believe(host.address, GUESTS, second.mac(GUESTS));
    expect(first.whereIs(host.address)).toBe(`${GUESTS} 02bb02000002`);
  });

  test('is forgotten for whatever the node itself sends', () => {
    const { world, first, second, host } = acquainted();
    world.pass(31_000);
    first.believe(host.address, GUESTS, second.mac(GUESTS));
    host.send(GROUP, 1);
    world.pass(1);
    expect(first.whereIs(host.address)).toBe(itself);
  });

  test('is asked for again before it is used', () => {
    const { world, first, second, host, guest } = acquainted();
    world.pass(31_000);
    first.believe(host.address, GUESTS, second.mac(GUESTS));
    second.believe(host.address, LAN, first.mac(LAN));
    guest.use(host.address, second.mac(GUESTS));
    world.pass(1000);
    const looped = second.dropped('looped');
    guest.send(host.address, 1);
    world.pass(10);
    expect(host.got).toEqual([1]);
    expect(second.dropped('looped')).toBe(looped);
    expect(second.whereIs(host.address)).toBe(itself);
  });

  test.each(TO_ALL)('$name does not go back to the segment it is from, however late it comes', ({ send }) => {
    const scene = acquainted();
    const { world, first, second, guest, guests } = scene;
    guest.send(GROUP, 7); // it was heard itself
    world.pass(1000);
    second.isHeldUp = first.isHeldUp = true;
    const before = guests.carried;
    send(scene);
    second.isHeldUp = false;
    holdUp(scene);
    world.pass(100);
    expect(guests.carried - before).toBe(1);
  });
});

describe('what is no circle', () => {
  test('who sends the same a thousand times, through a chain of two, is heard each time', () => {
    const world = new World();
    const [lan, guests, inner] = [new Segment(), new Segment(), new Segment()];
    new Bridge(world, 1, [lan, guests]);
    new Bridge(world, 2, [guests, inner]);
    const [host, guest] = [new Host(world, 9, lan), new Host(world, 2, inner)];
    for (let i = 0; i < 1000; i++) {
      guest.send(host.address, 1);
      host.send(guest.address, 1);
      if (i % 100 === 0) world.pass(1);
    }
    world.pass(100);
    expect([host.got.length, guest.got.length]).toEqual([1000, 1000]);
  });

  test('a node that goes to the other segment, and repeats there what it said, is found', () => {
    const { world, lan, guests, guest, host } = parallel();
    const friend = new Host(world, 3, guests);
    guest.send(friend.address, 1);
    guest.send(host.address, 1);
    world.pass(1000);
    guest.isHeldUp = true; // for good
    const moved = new Host(world, 2, lan);
    moved.ask(host.address);
    friend.forget(moved.address);
    for (let mark = 1; mark <= 3; mark++) {
      moved.send(friend.address, mark);
      friend.send(moved.address, mark);
      world.pass(50);
    }
    expect([moved.got.at(-1), friend.got.at(-1)]).toEqual([3, 3]);
  });
});

interface Walk {
  readonly random: SeededRandom;
  readonly world: World;
  readonly segments: readonly Segment[];
  readonly bridges: readonly Bridge[];
  readonly hosts: readonly Host[];
}

/** Two bridges between two segments, two hosts on each. */
function pair(random: SeededRandom): Walk {
  const { world, lan, guests, first, second, host, guest } = parallel(random);
  const hosts = [host, guest, new Host(world, 8, lan), new Host(world, 3, guests)];
  return { random, world, segments: [lan, guests], bridges: [first, second], hosts };
}

/** Three bridges between three segments, a host on each. */
function ring(random: SeededRandom): Walk {
  const world = new World(random);
  const [a, b, c] = [new Segment(), new Segment(), new Segment()];
  const bridges = [new Bridge(world, 1, [a, b]), new Bridge(world, 2, [b, c]), new Bridge(world, 3, [c, a])];
  const hosts = [a, b, c].map((segment, i) => new Host(world, i + 1, segment));
  return { random, world, segments: [a, b, c], bridges, hosts };
}

const SEEDS = Array.from({ length: 8 }, (_, i) => ({ seed: i + 1 }));

describe.each([
  { name: 'two in parallel', make: pair },
  { name: 'three in a ring', make: ring },
])('$name, whoever is held up and whenever', ({ make }) => {
  test.each(SEEDS)(
    'seed $seed: nothing goes round for long, and in the end all reach each other',
    ({ seed }) => {
      const walk = make(new SeededRandom(seed));
      for (let step = 0; step < 300; step++) {
        const before = carriedBy(walk);
        takeStep(walk, step & 0xff);
        expect(carriedBy(walk) - before).toBeLessThan(2000);
      }
      for (const bridge of walk.bridges) bridge.isHeldUp = false;
      expect(walk.world.pass(1000)).toBeLessThan(2000);
      expect(unreached(walk)).toEqual([]);
    },
  );
});

const carriedBy = ({ segments }: Walk): number => segments.reduce((sum, { carried }) => sum + carried, 0);

function takeStep({ random, world, bridges, hosts }: Walk, mark: number): void {
  const [from, to] = [random.pick(hosts), random.pick(hosts)];
  const what = random.below(6);
  if (what === 0) random.pick(bridges).isHeldUp = true;
  else if (what === 1) for (const bridge of bridges) bridge.isHeldUp = false;
  else if (what === 2) from.ask(to.address);
  else if (what === 3) from.send(GROUP, mark);
  else if (from !== to) from.send(to.address, mark);
  world.pass(random.pick([0, 0, 10, 200, 700]));
}

/** Who does not get the last of four packets from whom. */
function unreached({ world, hosts }: Walk): readonly string[] {
  const pairs = hosts.flatMap((from) => hosts.filter((to) => to !== from).map((to) => ({ from, to })));
  return pairs.flatMap(({ from, to }) => {
    if (from.segment === to.segment) from.forget(to.address); // who believed a bridge notices that nobody answers there
    const had = to.got.length;
    for (let mark = 0; mark < 4; mark++) {
      from.send(to.address, mark);
      world.pass(50);
    }
    return to.got.slice(had).includes(3) ? [] : [`${from.name} to ${to.name}`];
  });
}
