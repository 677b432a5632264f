import type { Packet } from 'dns-packet';
import { a, aaaa, ask, ptr, respond, said } from './testing/messages';
import { exitsOf, GROUP, IFINDEX, LAN_ADDRESS, NEIGHBOR, Scene, sentBy, VIEW, wire } from './testing/scene';

describe('verbatim', () => {
  test('a query with known answers goes from the LAN to all guests, byte by byte', () => {
    const query = wire(
      ask('_ipp._tcp.local', 'PTR', { answers: [ptr('_ipp._tcp.local', 'one._ipp._tcp.local')] }),
    );
    const scene = new Scene();
    const step = scene.hear('eth0', query);
    expect(exitsOf(step)).toEqual(['tap0', 'tap1']);
    for (const action of step.actions)
      if (action.do === 'send') expect([...action.payload]).toEqual([...query]);
  });

  test('a probe goes on with what it is going to claim, and a guest’s goes to the LAN and to other guests', () => {
    const probe = ask('box.local', 'ANY', { authorities: [a('box.local', '203.0.113.5')] });
    expect(exitsOf(new Scene().hear('tap0', wire(probe)))).toEqual(['eth0', 'tap1']);
  });

  test('EDNS0, unknown types and a farewell pass', () => {
    const packet: Packet = {
      type: 'response',
      answers: [
        a('tv.local', '192.168.77.20', 0),
        { type: 'HINFO', name: 'tv.local', ttl: 1, data: { cpu: 'x', os: 'y' } },
      ],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1440,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    };
    const step = new Scene().hear('eth0', wire(packet));
    expect(step.exits).toEqual([
      { ifname: 'tap0', outcome: 'sent' },
      { ifname: 'tap1', outcome: 'sent' },
    ]);
  });

  test('TC in a response is passed over', () => {
    expect(
      exitsOf(new Scene().hear('eth0', wire({ ...respond(a('x.local', '192.168.77.9')), flags: 0x200 }))),
    ).toHaveLength(2);
  });

  test('IPv6 goes by IPv6, IPv4 by IPv4', () => {
    const scene = new Scene();
    const step = scene.hear('eth0', wire(ask('x.local')), { group: GROUP.mdns6, address: 'fe80::77' });
    expect(step.actions).toMatchObject([{ do: 'send', group: GROUP.mdns6, ifindexes: [2, 3] }]);
  });
});

test('what goes out to several exits alike is made once', () => {
  const packet = respond(a('x.local', '192.168.77.9'), aaaa('x.local', 'fe80::9'));
  const step = new Scene().hear('eth0', wire(packet));
  expect(step.actions).toMatchObject([{ do: 'send', ifindexes: [2, 3] }]);
});

describe('dropped', () => {
  const query = wire(ask('x.local'));
  const response = wire(respond(a('x.local', '192.168.77.9')));
  test.each([
    { name: 'an interface that is joined with none', in: query, facts: { ifindex: 9 }, want: 'not-member' },
    { name: 'our own address as source', in: query, facts: { address: LAN_ADDRESS }, want: 'own-source' },
    {
      name: 'an address of ours on another link',
      in: query,
      facts: { address: '100.115.92.25' },
      want: 'own-source',
    },
    { name: 'a source of another link', in: query, facts: { address: '198.51.100.1' }, want: 'off-link' },
    {
      name: 'an IPv6 source of another link',
      in: query,
      facts: { address: '2001:db8:9::1' },
      want: 'off-link',
    },
    { name: 'too long', in: new Uint8Array(8973), facts: {}, want: 'too-big' },
    { name: 'as long as may be', in: new Uint8Array(8972), facts: {}, want: 'dns-slack' },
    { name: 'a response from another port', in: response, facts: { port: 5354 }, want: 'response-port' },
    {
      name: 'a one-shot query with answers',
      in: wire(ask('x.local', 'A', { answers: [a('x.local', '192.0.2.1')] })),
      facts: { port: 40000 },
      want: 'legacy-records',
    },
    {
      name: 'a one-shot probe',
      in: wire(ask('x.local', 'A', { authorities: [a('x.local', '192.0.2.1')] })),
      facts: { port: 40000 },
      want: 'legacy-records',
    },
    { name: 'nothing asked', in: wire({ type: 'query' }), facts: {}, want: 'no-question' },
    { name: 'another opcode', in: wire({ ...ask('x.local'), flags: 0x2800 }), facts: {}, want: 'opcode' },
    {
      name: 'a response code',
      in: wire({ ...respond(a('x.local', '192.0.2.1')), flags: 3 }),
      facts: {},
      want: 'opcode',
    },
    { name: 'half a message', in: query.subarray(0, query.length - 2), facts: {}, want: 'dns-truncated' },
    {
      name: 'link-local addresses only',
      in: wire(respond(a('x.local', '169.254.3.4'), aaaa('x.local', 'fe80::9'))),
      facts: {},
      want: 'link-local-only',
    },
  ])('$name: $want', ({ in: data, facts, want }) => {
    const scene = new Scene();
    expect(scene.hear('eth0', data, facts)).toEqual({
      dropped: want,
      exits: expect.anything() as unknown,
      actions: [],
    });
    const { received, forwarded, dropped } = scene.relay.counters(GROUP.mdns4);
    expect([received, forwarded, dropped]).toEqual([1, 0, [[want, 1]]]);
  });

  test.each([
    { bytes: 8952, want: 'dns-slack' },
    { bytes: 8953, want: 'too-big' },
  ])('by IPv6, whose header is longer, $bytes bytes: $want', ({ bytes, want }) => {
    const facts = { group: GROUP.mdns6, address: 'fe80::77' };
    expect(new Scene().hear('eth0', new Uint8Array(bytes), facts).dropped).toBe(want);
  });

  test('no address of the family on any other link', () => {
    const scene = new Scene(
      {},
      { ...VIEW, addresses: VIEW.addresses.filter(({ cidr }) => !cidr.startsWith('100.')) },
    );
    expect(scene.hear('eth0', query).dropped).toBe('no-exit');
  });
});

test('a guest at the other end of a point-to-point link is on it, and behind NAT', () => {
  const others = VIEW.addresses.filter(({ cidr }) => !cidr.startsWith('100.115.92.25'));
  const view = {
    ...VIEW,
    addresses: [...others, { ifindex: IFINDEX.tap0, cidr: '10.9.0.1/32', peer: '10.9.0.2/32', usable: true }],
  };
  const scene = new Scene({}, view);
  const out = scene.pass('tap0', respond(a('g.local', '10.9.0.2')), { address: '10.9.0.2' });
  expect(said(out.eth0)).toEqual([`g.local A ${LAN_ADDRESS}`]);
  expect(scene.hear('tap0', wire(ask('x.local')), { address: '10.9.0.3' }).dropped).toBe('off-link');
});

describe('an IPv6 source of which this host’s addresses on the link do not tell whether it is there', () => {
  const rows: { name: string; cidrs: readonly string[]; from?: string; want: string | null }[] = [
    { name: 'with a link-local one', cidrs: ['fe80::2/64'], want: null },
    { name: 'with single ones', cidrs: ['fe80::2/64', '2001:db8:77::3/128'], want: null },
    { name: 'with a prefix', cidrs: ['fe80::2/64', 'fd00::1/64'], want: 'off-link' },
    {
      name: 'with a prefix, and a single one of another prefix',
      cidrs: ['fe80::2/64', 'fd00::1/64', '2001:db8:99::3/128'],
      want: null,
    },
    { name: 'with a prefix, and a single one of it', cidrs: ['fd00::1/64', 'fd00::3/128'], want: 'off-link' },
    {
      name: 'with a prefix, and it is of the LAN’s',
      cidrs: ['fd00::1/64'],
      from: '2001:db8:77::99',
      want: null,
    },
    { name: 'that is no station', cidrs: ['fe80::2/64'], from: '::1', want: 'off-link' },
    { name: 'that is this host', cidrs: ['fe80::2/64'], from: '2001:db8:77::2', want: 'own-source' },
    { name: 'of IPv4', cidrs: ['fe80::2/64'], from: '192.0.2.1', want: 'off-link' },
  ];
  test.each(rows)('$name: $want', ({ cidrs, from = '2001:db8:99::99', want }) => {
    const others = VIEW.addresses.filter(({ ifindex }) => ifindex !== IFINDEX.tap0);
    const own = cidrs.map((cidr) => ({ ifindex: IFINDEX.tap0, cidr, usable: true }));
    const scene = new Scene({}, { ...VIEW, addresses: [...others, ...own] });
    const facts = { group: GROUP.mdns6, address: from };
    expect(scene.hear('tap0', wire(ask('x.local')), facts).dropped).toBe(want);
  });
});

describe('loops', () => {
  test('a payload that comes back from another link is a relay’s beside us', () => {
    const scene = new Scene();
    const query = wire(ask('x.local'));
    expect(scene.hear('eth0', query).dropped).toBeNull();
    expect(scene.hear('tap0', query).dropped).toBe('looped');
    expect(scene.hear('eth0', query).dropped).toBeNull(); // repeated by the first sender
    scene.wait(1001);
    expect(scene.hear('tap0', query).dropped).toBeNull();
  });

  test('our own copy is known though we changed it', () => {
    const scene = new Scene();
    const out = scene.hear('tap0', wire(respond(a('g.local', NEIGHBOR.tap0))));
    const [changed] = sentBy(out, 'eth0');
    if (changed === undefined) throw new Error('nothing went to the LAN');
    expect(scene.hear('eth0', changed).dropped).toBe('looped');
  });

  test('the same packet too often is not passed on for a while, and said once', () => {
    const scene = new Scene();
    const query = wire(ask('x.local'));
    for (let i = 0; i < 100; i++) scene.hear('eth0', query);
    expect(scene.relay.counters(GROUP.mdns4).forwarded).toBe(20);
    expect(scene.actions.filter((action) => action.do === 'tell')).toHaveLength(1);
    scene.wait(9000);
    expect(scene.hear('eth0', query).dropped).toBe('storm');
    scene.wait(2000);
    expect(scene.hear('eth0', query).dropped).toBeNull();
  });

  test('two relays side by side end with a copy each', () => {
    const [one, two] = [new Scene(), new Scene()];
    let copies = 0;
    const carry = (from: Scene, to: Scene, step: ReturnType<Scene['hear']>): void => {
      for (const ifname of ['eth0', 'tap0'] as const)
        for (const payload of sentBy(step, ifname)) {
          if (++copies > 50) throw new Error('storm');
          const address = ifname === 'eth0' ? '192.168.77.3' : 'fe80::99';
          carry(to, from, to.hear(ifname, payload.slice(), { address }));
        }
    };
    const query = wire(ask('x.local'));
    const [first, second] = [one.hear('eth0', query), two.hear('eth0', query)];
    carry(one, two, first);
    carry(two, one, second);
    expect(copies).toBe(2);
  });
});
