import {
  linkAddressOption,
  mtuOption,
  NaFlag,
  option,
  prefixInformation,
  RaFlag,
  rdnssOption,
} from '@pp/wire';
import type { Action } from './action';
import { CHECKED_BEFORE } from './admit';
import { LIMITS } from './limits';
import {
  advertise,
  DOWN,
  DOWN2,
  duplicateCheck,
  frameText,
  GUEST,
  GUEST_LL,
  ip,
  link,
  mac,
  NEIGHBOR,
  OWN_ADDRESSES,
  PREFIX,
  probe,
  redirect,
  ROUTER,
  routerAdvert,
  routerSolicit,
  Scene,
  solicit,
  UP,
  type SceneOptions,
} from './testing/scene';

const guest = { mac: 2, source: GUEST };
const guestLl = { mac: 2, source: GUEST_LL };
const neighbor = { mac: 9, source: NEIGHBOR };
const router = { mac: 1, source: ROUTER };

interface Row {
  readonly name: string;
  readonly options?: SceneOptions;
  /** What happened before; its actions do not count. */
  readonly before?: (scene: Scene) => void;
  readonly at: number;
  readonly frame: Uint8Array;
  readonly outcome: string;
  readonly want: readonly string[];
}

/** The guest on `down`, the neighbour and the router on `up` are known. */
const known = (scene: Scene): void => {
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  scene.receive(UP, solicit(neighbor, GUEST));
  scene.receive(UP, routerAdvert());
};

const solicits: readonly Row[] = [
  {
    name: 'a solicitation goes to all other segments, from us, with our address as its option',
    at: DOWN,
    frame: solicit(guest, NEIGHBOR),
    outcome: 'forwarded',
    want: [
      'located 2001:db8::2 down',
      'up: aa:01>33:ff:00:00:09 NS 2001:db8::2 > ff02::1:ff00:9 for 2001:db8::9 slla=02:aa:00:00:00:01',
      'down2: aa:03>33:ff:00:00:09 NS 2001:db8::2 > ff02::1:ff00:9 for 2001:db8::9 slla=02:aa:00:00:00:03',
    ],
  },
  {
    name: 'unknown options and no source option stay as they are (optimistic nodes, RFC 4429)',
    options: { links: [link(UP), link(DOWN)] },
    at: DOWN,
    frame: solicit(guest, NEIGHBOR, [option(0xf0, ip('::'))]),
    outcome: 'forwarded',
    want: [
      'located 2001:db8::2 down',
      'up: aa:01>33:ff:00:00:09 NS 2001:db8::2 > ff02::1:ff00:9 for 2001:db8::9 option-240',
    ],
  },
  {
    name: 'a duplicate check crosses unchanged',
    options: { links: [link(UP), link(DOWN)] },
    at: DOWN,
    frame: duplicateCheck(2, GUEST),
    outcome: 'forwarded',
    want: [
      'located 2001:db8::2 down',
      'up: aa:01>33:ff:00:00:02 NS :: > ff02::1:ff00:2 for 2001:db8::2 nonce',
    ],
  },
  {
    name: 'a probe goes to the one it asks, at its own Ethernet address',
    before: known,
    at: UP,
    frame: probe(neighbor, GUEST, UP),
    outcome: 'forwarded',
    want: ['down: aa:02>02 NS 2001:db8::9 > 2001:db8::2 for 2001:db8::2 slla=02:aa:00:00:00:02'],
  },
  {
    name: 'an address of this host on the segment itself is the kernel’s to answer',
    at: UP,
    frame: solicit(neighbor, ip('2001:db8::a')),
    outcome: 'local',
    want: ['located 2001:db8::9 up'],
  },
  {
    name: 'an address of this host on another segment is defended at once',
    at: DOWN,
    frame: duplicateCheck(2, ip('2001:db8::a')),
    outcome: 'local',
    want: ['down: aa:02>33:00:00:00:01 NA 2001:db8::a > ff02::1 of 2001:db8::a RO tlla=02:aa:00:00:00:02'],
  },
  {
    name: 'who asks for such an address is told',
    at: DOWN,
    frame: solicit(guest, ip('2001:db8::a')),
    outcome: 'local',
    want: [
      'located 2001:db8::2 down',
      'down: aa:02>02 NA 2001:db8::a > 2001:db8::2 of 2001:db8::a RSO tlla=02:aa:00:00:00:02',
    ],
  },
  {
    name: 'who probes such an address is told, too: the kernel answers only on the interface that has it',
    at: DOWN,
    frame: probe(guest, ip('2001:db8::a'), DOWN),
    outcome: 'local',
    want: [
      'located 2001:db8::2 down',
      'down: aa:02>02 NA 2001:db8::a > 2001:db8::2 of 2001:db8::a RSO tlla=02:aa:00:00:00:02',
    ],
  },
  {
    name: 'with one interface there is nowhere to go',
    options: { links: [link(UP)] },
    at: UP,
    frame: solicit(neighbor, GUEST),
    outcome: 'no-exit',
    want: ['located 2001:db8::9 up'],
  },
];

const adverts: readonly Row[] = [
  {
    name: 'an answer goes to the asker alone, flags as they are',
    before: known,
    at: DOWN,
    frame: advertise(guest, NEIGHBOR, DOWN),
    outcome: 'forwarded',
    want: ['up: aa:01>09 NA 2001:db8::2 > 2001:db8::9 of 2001:db8::2 SO tlla=02:aa:00:00:00:01'],
  },
  {
    name: 'an answer without option gets none',
    before: known,
    at: DOWN,
    frame: advertise(guest, NEIGHBOR, DOWN, { flags: NaFlag.solicited, options: [] }),
    outcome: 'forwarded',
    want: ['up: aa:01>09 NA 2001:db8::2 > 2001:db8::9 of 2001:db8::2 S'],
  },
  {
    name: 'an unsolicited one goes to all others',
    options: { links: [link(UP), link(DOWN)] },
    before: known,
    at: DOWN,
    frame: advertise(guest, ip('ff02::1'), DOWN, { flags: NaFlag.override | NaFlag.router }),
    outcome: 'forwarded',
    want: ['up: aa:01>33:00:00:00:01 NA 2001:db8::2 > ff02::1 of 2001:db8::2 RO tlla=02:aa:00:00:00:01'],
  },
  {
    name: 'never back to where it came from',
    before: known,
    at: UP,
    frame: advertise(router, NEIGHBOR, UP),
    outcome: 'same-segment',
    want: [],
  },
  {
    name: 'an answer to a question of this host is not passed on, but remembered',
    at: DOWN,
    frame: advertise(guest, ip('fe80::a:2'), DOWN),
    outcome: 'local',
    want: ['located 2001:db8::2 down'],
  },
  {
    name: 'nobody else has the addresses of this host',
    at: DOWN,
    frame: advertise(guest, ip('ff02::1'), DOWN, { flags: NaFlag.override, target: ip('2001:db8::a') }),
    outcome: 'na-own-target',
    want: [],
  },
];

const routers: readonly Row[] = [
  {
    name: 'a router solicitation goes upstream only',
    at: DOWN,
    frame: routerSolicit(guestLl),
    outcome: 'forwarded',
    want: ['located fe80::2 down', 'up: aa:01>33:00:00:00:02 RS fe80::2 > ff02::2 slla=02:aa:00:00:00:01'],
  },
  {
    name: 'a router solicitation without source goes too',
    at: DOWN,
    frame: routerSolicit({ mac: 2, source: ip('::') }, []),
    outcome: 'forwarded',
    want: ['up: aa:01>33:00:00:00:02 RS :: > ff02::2'],
  },
  {
    name: 'an advertisement goes to every downstream with P set',
    at: UP,
    frame: routerAdvert({ flags: RaFlag.managed }),
    outcome: 'forwarded',
    want: [
      'located fe80::1 up',
      'down: aa:02>33:00:00:00:01 RA fe80::1 > ff02::1 MP lifetime=1800 prefix slla=02:aa:00:00:00:02',
      'down2: aa:03>33:00:00:00:01 RA fe80::1 > ff02::1 MP lifetime=1800 prefix slla=02:aa:00:00:00:03',
    ],
  },
  {
    name: 'a unicast advertisement goes to the one that asked',
    before: (scene) => {
      scene.receive(DOWN2, routerSolicit(guestLl));
    },
    at: UP,
    frame: routerAdvert({ options: [PREFIX] }, GUEST_LL),
    outcome: 'forwarded',
    want: ['located fe80::1 up', 'down2: aa:03>02 RA fe80::1 > fe80::2 P lifetime=1800 prefix'],
  },
  {
    name: 'a resolver that is link-local is out of reach in route mode',
    options: { links: [link(UP), link(DOWN)] },
    at: UP,
    frame: routerAdvert({
      options: [rdnssOption({ lifetimeSec: 9, servers: [ip('fe80::1')] }), mtuOption(1400)],
    }),
    outcome: 'forwarded',
    want: ['located fe80::1 up', 'down: aa:02>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=1800 mtu'],
  },
  {
    name: 'a redirect to a node on the same segment tells its own address',
    before: (scene) => {
      known(scene);
      scene.receive(DOWN, advertise({ mac: 7, source: ip('2001:db8::7') }, ip('fe80::a:2'), DOWN));
    },
    at: UP,
    frame: redirect(GUEST, { target: ip('2001:db8::7'), destination: ip('2001:db8::7') }),
    outcome: 'forwarded',
    want: ['down: aa:02>02 Redirect fe80::1 > 2001:db8::2 2001:db8::7 by 2001:db8::7 tlla=02:00:00:00:00:07'],
  },
  {
    name: 'a redirect to a node elsewhere tells ours',
    before: known,
    at: UP,
    frame: redirect(GUEST, { target: NEIGHBOR, destination: NEIGHBOR }),
    outcome: 'forwarded',
    want: ['down: aa:02>02 Redirect fe80::1 > 2001:db8::2 2001:db8::9 by 2001:db8::9 tlla=02:aa:00:00:00:02'],
  },
  {
    name: 'a redirect to a node that is unknown tells none',
    before: known,
    at: UP,
    frame: redirect(GUEST, { target: ip('2001:db8::77'), destination: ip('2001:db8::77') }, [
      linkAddressOption('target', mac(0x77)),
      option(4, ip('::')),
    ]),
    outcome: 'forwarded',
    want: ['down: aa:02>02 Redirect fe80::1 > 2001:db8::2 2001:db8::77 by 2001:db8::77 redirected'],
  },
];

test.each([...solicits, ...adverts, ...routers])('$name', ({ options, before, at, frame, outcome, want }) => {
  const scene = new Scene(options);
  before?.(scene);
  scene.taken();
  scene.receive(at, frame);
  expect(scene.taken()).toEqual(want);
  expect(scene.outcome).toBe(outcome);
});

test('prefixes lose L and MTUs are clamped in route mode, and neither is the case in bridge mode', () => {
  const advert = routerAdvert({ options: [PREFIX, mtuOption(9000)] });
  const bytes = (mode: 'route' | 'bridge'): readonly [number, number] => {
    const scene = new Scene({ mode, links: [link(UP, { mtu: 9000 }), link(DOWN, { mtu: 1500 })] });
    const { actions } = scene.group.step(
      UP,
      advert,
      { outgoing: false, vlan: 0, checksumReady: true, truncated: false },
      scene.now,
    );
    const frame =
      actions.flatMap((action) => (action.do === 'send' ? [action.frame] : []))[0] ?? new Uint8Array(200);
    return [frame[54 + 16 + 3] ?? 0, new DataView(frame.buffer).getUint32(54 + 16 + 32 + 4)];
  };
  expect(bytes('route')).toEqual([0x40, 1500]);
  expect(bytes('bridge')).toEqual([0xc0, 1500]);
});

test('a message larger than the way out takes is dropped', () => {
  const scene = new Scene({ links: [link(UP, { mtu: 1280 }), link(DOWN)] });
  scene.receive(DOWN, solicit(guest, NEIGHBOR, [option(200, new Uint8Array(1300))]));
  expect(scene.outcome).toBe('too-big');
});

describe('a destination that is unknown', () => {
  const asked = (scene: Scene): readonly string[] => scene.taken().filter((line) => line.includes(' NS '));

  test('is asked for on the other segments; the message goes out when it answers', () => {
    const scene = new Scene();
    scene.receive(UP, probe(neighbor, GUEST, UP));
    expect(scene.outcome).toBe('queued');
    expect(asked(scene)).toEqual([
      'down: aa:02>33:ff:00:00:02 NS fe80::a:2 > ff02::1:ff00:2 for 2001:db8::2 slla=02:aa:00:00:00:02',
      'down2: aa:03>33:ff:00:00:02 NS fe80::a:3 > ff02::1:ff00:2 for 2001:db8::2 slla=02:aa:00:00:00:03',
    ]);
    scene.receive(DOWN2, advertise(guest, ip('fe80::a:3'), DOWN2));
    expect(scene.taken()).toEqual([
      'located 2001:db8::2 down2',
      'down2: aa:03>02 NS 2001:db8::9 > 2001:db8::2 for 2001:db8::2 slla=02:aa:00:00:00:03',
    ]);
    expect(scene.group.state.counters).toMatchObject({ received: 2, forwarded: 1, local: 1 });
  });

  test('is asked for three times, and then its messages are dropped', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    for (let i = 0; i < 5; i++)
      scene.receive(UP, probe({ mac: 9, source: ip(`2001:db8::9${i}`) }, GUEST, UP));
    expect(scene.outcome).toBe('queue-full');
    scene.pass(2);
    expect(asked(scene)).toHaveLength(3);
    expect(scene.group.state.counters.dropped).toEqual({ unresolved: 4, 'queue-full': 1 });
    expect(scene.group.state.pending.size).toBe(0);
  });

  test('whoever asks for many of them keeps no other segment from being served', () => {
    const scene = new Scene();
    for (let i = 0; i < 1000; i++)
      scene.receive(DOWN, probe(guest, ip(`2001:db8::5:${i.toString(16)}`), DOWN));
    expect(scene.outcome).toBe('solicit-rate');
    scene.receive(UP, probe(neighbor, ip('2001:db8::77'), UP));
    expect(scene.outcome).toBe('queued');
  });

  test('is asked for at a bounded rate, and the memory of it is bounded', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    for (let i = 0; i < 20_000; i++)
      scene.receive(UP, probe(neighbor, ip(`2001:db8::5:${i.toString(16)}`), UP));
    expect(asked(scene).length).toBeLessThanOrEqual(50);
    expect(scene.group.state.pending.size).toBeLessThanOrEqual(50);
    expect(scene.group.state.counters.dropped['solicit-rate']).toBeGreaterThan(19_000);
  });
});

describe('this host’s own messages (RFC 4389 §4.2)', () => {
  const host = { mac: 0, source: ip('2001:db8::a') };
  test('its solicitations on one segment are heard on the others', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, solicit(host, GUEST), { outgoing: true });
    expect(scene.taken()).toEqual([
      'down: aa:02>33:ff:00:00:02 NS 2001:db8::a > ff02::1:ff00:2 for 2001:db8::2 slla=02:aa:00:00:00:02',
    ]);
  });

  test('but not where the node is known to be on the segment that it asks', () => {
    const scene = new Scene();
    known(scene);
    scene.taken();
    scene.receive(DOWN, solicit({ mac: 0, source: ip('fe80::a:2') }, GUEST), { outgoing: true });
    expect(scene.taken()).toEqual([]);
    expect(scene.outcome).toBe('local');
  });
});

test('a node that moves is where it was heard last', () => {
  const scene = new Scene();
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  scene.pass(1);
  scene.taken();
  scene.receive(DOWN2, duplicateCheck(2, GUEST));
  expect(scene.taken().slice(0, 2)).toEqual(['lost 2001:db8::2 down', 'located 2001:db8::2 down2']);
});

test('an advertisement without O does not take an address from a node that is there', () => {
  const scene = new Scene();
  scene.receive(DOWN, advertise(guest, ip('fe80::a:2'), DOWN));
  scene.receive(UP, advertise({ mac: 9, source: GUEST }, ip('fe80::a:1'), UP, { flags: NaFlag.solicited }));
  expect(scene.group.state.table.get(GUEST)?.ifindex).toBe(DOWN);
});

test('a silent guest is asked whether it is there, and forgotten when it does not answer', () => {
  const scene = new Scene();
  scene.receive(DOWN, solicit(guest, NEIGHBOR));
  scene.taken();
  scene.pass(60.5);
  expect(scene.taken()).toEqual([
    'down: aa:02>02 NS fe80::a:2 > 2001:db8::2 for 2001:db8::2 slla=02:aa:00:00:00:02',
  ]);
  scene.receive(DOWN, advertise(guest, ip('fe80::a:2'), DOWN, { options: [] }));
  scene.pass(59);
  expect(scene.taken()).toEqual([]);
  scene.pass(10);
  expect(scene.taken().at(-1)).toBe('lost 2001:db8::2 down');
});

test('a silent neighbour on the uplink is not asked, but forgotten in time', () => {
  const scene = new Scene();
  scene.receive(UP, solicit(neighbor, GUEST));
  scene.pass(30);
  scene.taken();
  scene.pass(LIMITS.forgetAfter / 1000 - 60);
  expect([scene.taken(), scene.group.state.table.get(NEIGHBOR)?.ifindex]).toEqual([[], UP]);
  scene.pass(60);
  expect(scene.group.state.table.get(NEIGHBOR)).toBeUndefined();
});

test('an address that was checked and then not used is forgotten within seconds', () => {
  const scene = new Scene();
  scene.receive(DOWN, duplicateCheck(2, GUEST));
  scene.pass(10);
  expect(scene.taken().at(-1)).toBe('lost 2001:db8::2 down');
});

test('what was known before a restart is asked at once', () => {
  const scene = new Scene();
  scene.group.restore(GUEST, DOWN, scene.now);
  scene.pass(2);
  expect(scene.taken()[0]).toBe(
    'down: aa:02>33:ff:00:00:02 NS fe80::a:2 > ff02::1:ff00:2 for 2001:db8::2 slla=02:aa:00:00:00:02',
  );
  scene.receive(DOWN, advertise(guest, ip('fe80::a:2'), DOWN));
  expect(scene.group.state.table.get(GUEST)).toMatchObject({ ifindex: DOWN, mac: mac(2) });
});

test('nodes of an interface that goes are forgotten', () => {
  const scene = new Scene();
  known(scene);
  scene.taken();
  scene.update([link(UP), link(DOWN2)]);
  expect(scene.taken()).toContain('lost 2001:db8::2 down');
});

test('a downstream that leaves is told that routers and prefixes are not its own any more', () => {
  const scene = new Scene();
  scene.receive(UP, routerAdvert());
  scene.taken();
  const sent: Uint8Array[] = [];
  for (const action of scene.group.update([link(UP), link(DOWN2)], OWN_ADDRESSES, scene.now))
    if (action.do === 'send' && action.ifindex === DOWN) sent.push(action.frame);
  expect(sent.map(frameText)).toEqual([
    'aa:02>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=0 prefix slla=02:aa:00:00:00:02',
  ]);
  const prefix = sent[0]?.subarray(54 + 16, 54 + 16 + 32);
  expect(prefix).toEqual(
    prefixInformation({
      prefixLength: 64,
      flags: 0x40,
      validSec: 3600,
      preferredSec: 0,
      prefix: ip('2001:db8::'),
    }).bytes,
  );
});

describe('another upstream takes the place of one', () => {
  const link4 = link(4, { ifname: 'wlan0', role: 'upstream' });
  const adverts = (scene: Scene): readonly string[] =>
    toldBy(scene.group.update([link4, link(DOWN)], OWN_ADDRESSES, scene.now));
  const toldBy = (actions: readonly Action[]): readonly string[] =>
    actions
      .flatMap((action) => (action.do === 'send' && action.ifindex === DOWN ? [action.frame] : []))
      .map((frame) => `${frameText(frame)} preferred=${preferredSec(frame)}`);
  /** Of the first option, a prefix. */
  const preferredSec = (frame: Uint8Array): number =>
    new DataView(frame.buffer, frame.byteOffset).getUint32(54 + 16 + 8);
  const OVER =
    'aa:02>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=0 prefix slla=02:aa:00:00:00:02 preferred=0';

  test.each([
    { name: 'at once', between: () => undefined },
    {
      name: 'after a while',
      between: (scene: Scene) => {
        scene.update([link(DOWN)]);
        scene.pass(60);
      },
    },
  ])('$name: what the first one’s routers said of prefixes is over, too', ({ between }) => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    between(scene);
    expect(adverts(scene).at(-1)).toBe(OVER);
    expect(scene.group.state.routers.prefixes(scene.now)).toEqual([]);
  });

  const options = [
    prefixInformation({
      prefixLength: 64,
      flags: 0xc0,
      validSec: 9,
      preferredSec: 9,
      prefix: ip('2001:db8:2::'),
    }),
  ];
  test.each([
    {
      name: 'the same one, come back to another network: they are over',
      advert: { options },
      want: [OVER],
      prefixes: 1,
    },
    { name: 'to the same network: they are not', advert: {}, want: [], prefixes: 1 },
    {
      name: 'to the same network, which has a prefix more: they are not',
      advert: { options: [...options, PREFIX] },
      want: [],
      prefixes: 2,
    },
    {
      name: 'to a router that tells none: they may be told by another',
      advert: { options: [mtuOption(1500), linkAddressOption('source', mac(1))] },
      want: [],
      prefixes: 1,
    },
  ])('$name', ({ advert, want, prefixes }) => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    scene.update([link(DOWN)]);
    scene.update([link(UP), link(DOWN)]);
    const frame = routerAdvert(advert);
    const sent = scene.group.step(UP, frame, { ...CHECKED_BEFORE, checksumReady: true }, scene.now).actions;
    expect(toldBy(sent).slice(0, -1)).toEqual(want);
    expect(scene.group.state.routers.prefixes(scene.now)).toHaveLength(prefixes);
  });

  test('it has gone, and then a downstream leaves: they are over there', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    scene.update([link(DOWN)]);
    expect(toldBy(scene.group.update([], OWN_ADDRESSES, scene.now))).toEqual([OVER]);
  });

  test('the same one, come back, may still have them', () => {
    const scene = new Scene({ links: [link(UP), link(DOWN)] });
    scene.receive(UP, routerAdvert());
    scene.update([link(DOWN)]);
    scene.taken();
    scene.update([link(UP, { ifindex: 5 }), link(DOWN)]); // a USB adapter: its index is another
    expect(scene.taken()).toEqual([]);
    expect(adverts(scene)).toEqual([OVER]); // it told nothing else until another took its place
  });
});

test('a link-local address of an interface that is no member is nobody’s here: a router may have it', () => {
  const scene = new Scene();
  const elsewhere = [
    { ifindex: 99, address: ROUTER, usable: true }, // as docker0's fe80::1
    { ifindex: 99, address: ip('2001:db8::99'), usable: true },
  ];
  scene.update([link(UP), link(DOWN), link(DOWN2)], [...OWN_ADDRESSES, ...elsewhere]);
  scene.receive(UP, routerAdvert());
  expect(scene.outcome).toBe('forwarded');
  scene.receive(DOWN, duplicateCheck(2, ip('2001:db8::99'))); // what reaches beyond a link is this host's on all
  expect(scene.outcome).toBe('local');
});

test('an answer without O is believed where there was none before (RFC 4861 §7.2.5, INCOMPLETE)', () => {
  const answer = advertise(guest, ip('fe80::a:2'), DOWN, { flags: NaFlag.solicited });
  const restored = new Scene();
  restored.group.restore(GUEST, DOWN, restored.now);
  restored.receive(DOWN, answer);
  expect(restored.group.state.table.get(GUEST)).toMatchObject({ mac: mac(2), certainty: 'advertised' });
  const checked = new Scene();
  checked.receive(DOWN2, duplicateCheck(7, GUEST));
  checked.receive(DOWN, advertise(guest, ip('ff02::1'), DOWN, { flags: 0 })); // an anycast address, or of another proxy
  expect(checked.group.state.table.get(GUEST)).toMatchObject({ ifindex: DOWN, certainty: 'advertised' });
});

test('when the upstream goes, its routers are retracted on every downstream', () => {
  const scene = new Scene({ links: [link(UP), link(DOWN)] });
  scene.receive(UP, routerAdvert());
  scene.taken();
  scene.update([link(DOWN)]);
  expect(scene.taken()).toEqual([
    'lost fe80::1 up',
    'down: aa:02>33:00:00:00:01 RA fe80::1 > ff02::1 P lifetime=0 prefix slla=02:aa:00:00:00:02',
  ]);
});
