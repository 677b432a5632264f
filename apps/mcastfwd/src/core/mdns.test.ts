import { millis } from '@pp/base';
import type { Answer, Packet, Question } from 'dns-packet';
import {
  exitsOf,
  GROUP,
  LAN_ADDRESS,
  NEIGHBOR,
  outOf,
  Scene,
  sessionOf,
  unwire,
  VIEW,
  wire,
} from './testing/scene';

const ask = (name: string, type: Question['type'] | 'ANY' = 'PTR', more: Partial<Packet> = {}): Packet => ({
  type: 'query',
  questions: [{ type: type as Question['type'], name, class: 'IN' }], // its types lack ANY
  ...more,
});
const a = (name: string, data: string, ttl = 120): Answer => ({ type: 'A', name, ttl, flush: true, data });
const aaaa = (name: string, data: string): Answer => ({ type: 'AAAA', name, ttl: 120, flush: true, data });
const ptr = (name: string, data: string): Answer => ({ type: 'PTR', name, ttl: 4500, data });
const srv = (name: string, target: string, port: number): Answer => ({
  type: 'SRV',
  name,
  ttl: 120,
  flush: true,
  data: { priority: 0, weight: 0, port, target },
});
const respond = (...answers: Answer[]): Packet => ({ type: 'response', answers });

/** Names and data of the answers, for reading. */
const said = (packet: Packet | undefined): readonly string[] =>
  [...(packet?.answers ?? []), ...(packet?.authorities ?? []), ...(packet?.additionals ?? [])].map(
    (record) => {
      const { name, type } = record;
      const data = 'data' in record ? JSON.stringify(record.data) : '';
      return `${name} ${type} ${data.replaceAll('"', '')}`;
    },
  );

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
    expect(step.actions.map((action) => action.do === 'send' && action.group)).toEqual([
      GROUP.mdns6,
      GROUP.mdns6,
    ]);
  });
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

  test('no address of the family on any other link', () => {
    const scene = new Scene(
      {},
      { ...VIEW, addresses: VIEW.addresses.filter(({ cidr }) => !cidr.startsWith('100.')) },
    );
    expect(scene.hear('eth0', query).dropped).toBe('no-exit');
  });
});

describe('QU', () => {
  test('is cleared in every question, and nothing else changes', () => {
    const query = wire({
      type: 'query',
      questions: [
        { type: 'PTR', name: '_a._tcp.local', class: 'IN' },
        { type: 'A', name: 'b.local', class: 'IN' },
      ],
    });
    const unicast = query.slice();
    const classes = [12 + '_a._tcp.local'.length + 2 + 2, query.length - 2];
    for (const at of classes) unicast[at] = (unicast[at] ?? 0) | 0x80;
    const step = new Scene().hear('eth0', unicast);
    const [first] = step.actions;
    expect(first?.do === 'send' && [...first.payload]).toEqual([...query]);
    expect(step.exits[0]).toEqual({ ifname: 'tap0', outcome: 'changed' });
  });

  test('cache flush is not: it is the same bit of a record', () => {
    const out = new Scene().pass('eth0', respond(a('x.local', '192.168.77.9')));
    expect(out.tap0?.answers?.[0]).toMatchObject({ flush: true });
  });
});

describe('link-local addresses', () => {
  const both = respond(a('x.local', '192.168.77.9'), aaaa('x.local', 'fe80::9'), a('x.local', '169.254.1.1'));

  test('are left out, others stay', () => {
    expect(said(new Scene().pass('eth0', both).tap0)).toEqual(['x.local A 192.168.77.9']);
  });

  test('stay where the members are one link', () => {
    expect(said(new Scene({ isOneLink: true }).pass('eth0', both).tap0)).toHaveLength(3);
  });

  test.each([
    { name: 'an NSEC that denies a type of which some stay goes too', types: ['A'], want: 1 },
    { name: 'one that does not stays', types: ['A', 'AAAA'], want: 2 },
  ])('$name', ({ types, want }) => {
    const nsec: Answer = {
      type: 'NSEC',
      name: 'x.local',
      ttl: 120,
      flush: true,
      data: { nextDomain: 'x.local', rrtypes: types },
    };
    const packet = {
      ...respond(aaaa('x.local', '2001:db8:77::9'), aaaa('x.local', 'fe80::9')),
      additionals: [nsec],
    };
    expect(said(new Scene().pass('eth0', packet).tap0)).toHaveLength(want);
  });
});

describe('a host on two links keeps its name', () => {
  const here = respond(a('both.local', '192.168.77.50'), ptr('_x._tcp.local', 'both._x._tcp.local'));
  const there = respond(a('both.local', '203.0.113.50'));

  test('its addresses of one link are not announced on the other, its services are', () => {
    const scene = new Scene();
    expect(scene.pass('tap0', there)).toMatchObject({ eth0: {} });
    const out = scene.pass('eth0', here);
    expect(said(out.tap0)).toEqual(['_x._tcp.local PTR both._x._tcp.local']);
    expect(said(out.tap1)).toHaveLength(2); // it is not there
    expect(Object.keys(scene.pass('tap0', there))).toEqual(['tap1']);
  });

  test('when its announcement has run out, or was taken back, the other one’s counts again', () => {
    const scene = new Scene();
    scene.pass('tap0', there);
    scene.wait(121_000);
    expect(said(scene.pass('eth0', here).tap0)).toHaveLength(1); // it may still say so itself
    scene.wait(5000);
    expect(said(scene.pass('eth0', here).tap0)).toHaveLength(2);
    scene.wait(2000);
    scene.pass('tap0', there);
    scene.pass('tap0', respond(a('both.local', '203.0.113.50', 0)));
    expect(said(scene.pass('eth0', here).tap0)).toHaveLength(2);
  });

  test('what another relay has copied is not its own', () => {
    const scene = new Scene();
    scene.pass('eth0', here);
    scene.wait(3000);
    scene.pass('tap0', respond(a('both.local', '192.168.77.50'))); // by a relay beside us
    scene.wait(3000);
    expect(said(scene.pass('eth0', here).tap0)).toHaveLength(2);
  });

  test('an NSEC of the name goes with the addresses', () => {
    const nsec: Answer = {
      type: 'NSEC',
      name: 'both.local',
      ttl: 120,
      data: { nextDomain: 'both.local', rrtypes: ['A'] },
    };
    const scene = new Scene();
    scene.pass('tap0', there);
    expect(said(scene.pass('eth0', { ...here, additionals: [nsec] }).tap0)).toEqual([
      '_x._tcp.local PTR both._x._tcp.local',
    ]);
  });
});

describe('behind NAT', () => {
  const GUEST = NEIGHBOR.tap0;

  test('all addresses of guests become the LAN’s, in every section; towards guests they stay', () => {
    const packet: Packet = {
      ...respond(ptr('_x._tcp.local', 'g._x._tcp.local'), a('g.local', GUEST)),
      authorities: [a('g.local', GUEST)],
      additionals: [
        a('other.local', NEIGHBOR.tap1),
        a('far.local', '203.0.113.1'),
        aaaa('g.local', '2001:db8:77::26'),
      ],
    };
    const out = new Scene().pass('tap0', packet);
    expect(said(out.eth0)).toEqual([
      '_x._tcp.local PTR g._x._tcp.local',
      `g.local A ${LAN_ADDRESS}`,
      `g.local A ${LAN_ADDRESS}`,
      `other.local A ${LAN_ADDRESS}`,
      'far.local A 203.0.113.1',
      'g.local AAAA 2001:db8:77::26',
    ]);
    expect(said(out.tap1)).toContain(`other.local A ${NEIGHBOR.tap1}`);
  });

  test('a probe claims what the LAN will see', () => {
    const probe = ask('g.local', 'ANY', { authorities: [a('g.local', GUEST)] });
    expect(said(new Scene().pass('tap0', probe).eth0)).toEqual([`g.local A ${LAN_ADDRESS}`]);
  });

  test('known answers and queries from the LAN name the guest’s own address again, and the host’s name is the host’s', () => {
    const scene = new Scene();
    scene.pass('tap0', respond(a('g.local', GUEST)));
    const known = ask('g.local', 'A', { answers: [a('g.local', LAN_ADDRESS), a('host.local', LAN_ADDRESS)] });
    const want = [`g.local A ${GUEST}`, `host.local A ${LAN_ADDRESS}`];
    const out = scene.pass('eth0', known);
    expect([said(out.tap0), said(out.tap1)]).toEqual([want, want]);
  });

  test('reverse names change, and the host’s own record of that name is not flushed', () => {
    const scene = new Scene();
    const packet: Packet = {
      ...respond(
        { type: 'PTR', name: '26.92.115.100.in-addr.arpa', ttl: 120, flush: true, data: 'g.local' },
        a('g.local', GUEST),
      ),
      additionals: [
        {
          type: 'NSEC',
          name: '26.92.115.100.in-addr.arpa',
          ttl: 120,
          data: { nextDomain: '26.92.115.100.in-addr.arpa', rrtypes: ['PTR'] },
        },
      ],
    };
    const out = scene.pass('tap0', packet);
    expect(said(out.eth0)).toEqual([
      '2.77.168.192.in-addr.arpa PTR g.local',
      `g.local A ${LAN_ADDRESS}`,
      '2.77.168.192.in-addr.arpa NSEC {nextDomain:2.77.168.192.in-addr.arpa,rrtypes:[PTR]}',
    ]);
    expect(out.eth0?.answers?.[0]).toMatchObject({ flush: false });
    expect(said(out.tap1)).toContain('26.92.115.100.in-addr.arpa PTR g.local');
    const asked = scene.pass('eth0', ask('2.77.168.192.in-addr.arpa'));
    expect([asked.tap0?.questions?.[0]?.name, asked.tap1?.questions?.[0]?.name]).toEqual([
      '26.92.115.100.in-addr.arpa',
      '2.77.168.192.in-addr.arpa',
    ]);
  });

  test('a port that is forwarded is the host’s, both ways', () => {
    const forwards = [{ protocol: 'tcp', hostPort: 8080, guest: GUEST, guestPort: 80 }] as const;
    const scene = new Scene({ forwards });
    const services = respond(
      srv('w._http._tcp.local', 'g.local', 80),
      srv('w._http._udp.local', 'g.local', 80),
      a('g.local', GUEST),
    );
    const ports = (packet: Packet | undefined): unknown =>
      packet?.answers?.flatMap((record) => (record.type === 'SRV' ? [record.data.port] : []));
    const out = scene.pass('tap0', services);
    expect([ports(out.eth0), ports(out.tap1)]).toEqual([
      [8080, 80],
      [80, 80],
    ]);
    const known = ask('w._http._tcp.local', 'SRV', { answers: [srv('w._http._tcp.local', 'g.local', 8080)] });
    expect(ports(scene.pass('eth0', known).tap0)).toEqual([80]);
  });

  test('a port that is forwarded on one LAN is not on another, both ways', () => {
    const forward = { protocol: 'tcp', guest: GUEST, guestPort: 80 } as const;
    const links = [
      { lan: 'eth0', guests: ['tap0'] },
      { lan: 'tap1', guests: ['tap0'] },
    ];
    const scene = new Scene({ forwards: [{ ...forward, hostPort: 8080, lan: 'tap1' }] }, VIEW, links);
    const services = respond(srv('w._http._tcp.local', 'g.local', 80), a('g.local', GUEST));
    const ports = (packet: Packet | undefined): unknown =>
      packet?.answers?.flatMap((record) => (record.type === 'SRV' ? [record.data.port] : []));
    const out = scene.pass('tap0', services);
    expect([ports(out.eth0), ports(out.tap1)]).toEqual([[80], [8080]]);
    const known = ask('w._http._tcp.local', 'SRV', { answers: [srv('w._http._tcp.local', 'g.local', 8080)] });
    expect(ports(scene.pass('tap1', known).tap0)).toEqual([80]);
    scene.now = millis(scene.now + 2000); // the same again is no loop
    expect(ports(scene.pass('eth0', known).tap0)).toEqual([8080]);
  });

  test('the keys of TXT records that were named', () => {
    const txt = (data: string[]): Answer => ({ type: 'TXT', name: 'w._x._tcp.local', ttl: 9, data });
    const scene = new Scene({ txtKeys: ['ip'] });
    const out = scene.pass('tap0', respond(txt([`ip=${GUEST}`, `other=${GUEST}`, 'ip=x'])));
    const [record] = out.eth0?.answers ?? [];
    expect(record?.type === 'TXT' && String(record.data)).toBe(`ip=${LAN_ADDRESS},other=${GUEST},ip=x`);
  });

  test('without an address on the LAN nothing names the guest, by IPv6 either', () => {
    const view = { ...VIEW, addresses: VIEW.addresses.filter(({ cidr }) => !cidr.startsWith(LAN_ADDRESS)) };
    const step = new Scene({}, view).hear('tap0', wire(respond(a('g.local', GUEST))), {
      group: GROUP.mdns6,
      address: 'fe80::26',
    });
    expect(step.exits).toEqual([
      { ifname: 'eth0', outcome: 'no-lan-address' },
      { ifname: 'tap1', outcome: 'sent' },
    ]);
  });

  test('nothing is rewritten where there is no NAT', () => {
    const out = new Scene({ nat: [] }).pass('tap0', respond(a('g.local', GUEST)));
    expect(said(out.eth0)).toEqual([`g.local A ${GUEST}`]);
  });

  test('IPv6 too, where that is asked for', () => {
    const view = {
      ...VIEW,
      addresses: [...VIEW.addresses, { ifindex: 2, cidr: 'fd00:1::1/64', usable: true }],
    };
    const out = new Scene({ nat: ['ipv6'] }, view).pass('tap0', respond(aaaa('g.local', 'fd00:1::26')));
    expect(said(out.eth0)).toEqual(['g.local AAAA 2001:db8:77::2']);
  });
});

describe('one-shot queries', () => {
  const query = { ...ask('g.local', 'A'), id: 4711 };

  test('go out from a port of their own; answers come back as they are, with the LAN’s address for the guest', () => {
    const scene = new Scene();
    const step = scene.hear('eth0', wire(query), { port: 40000 });
    expect(step.actions.map((action) => action.do)).toEqual(['search', 'search']);
    const answer = { ...respond(a('g.local', NEIGHBOR.tap0, 10)), id: 4711 };
    const back = scene.answer('tap0', sessionOf(step), wire(answer));
    const [action] = back.actions;
    if (action?.do !== 'answer') throw new Error('no answer');
    expect(action.session.client).toMatchObject({
      address: NEIGHBOR.eth0,
      port: 40000,
      segment: { ifname: 'eth0' },
    });
    expect(said(unwire(action.payload))).toEqual([`g.local A ${LAN_ADDRESS}`]);
    expect(unwire(action.payload).id).toBe(4711);
  });

  test('two clients at once have a session each, and one client one for all its questions', () => {
    const scene = new Scene();
    const first = sessionOf(scene.hear('eth0', wire(query), { port: 40000 }));
    const second = sessionOf(
      scene.hear('eth0', wire({ ...query, id: 2 }), { port: 40000, address: '192.168.77.21' }),
    );
    const again = sessionOf(scene.hear('eth0', wire({ ...query, id: 3 }), { port: 40000 }));
    expect([second === first, again === first]).toEqual([false, true]);
    for (const id of [4711, 3]) {
      const step = scene.answer('tap0', first, wire({ ...respond(a('g.local', NEIGHBOR.tap0)), id }));
      expect(step.dropped).toBeNull();
    }
  });

  test.each([
    {
      name: 'an id that was not asked with',
      packet: { ...respond(a('g.local', '192.0.2.1')), id: 1 },
      facts: {},
      want: 'reply-stray',
    },
    { name: 'a query', packet: { ...query }, facts: {}, want: 'reply-stray' },
    {
      name: 'another port',
      packet: { ...respond(a('g.local', '192.0.2.1')), id: 4711 },
      facts: { port: 99 },
      want: 'response-port',
    },
    {
      name: 'another link',
      packet: { ...respond(a('g.local', '192.0.2.1')), id: 4711 },
      facts: { ifindex: 1, address: NEIGHBOR.eth0 },
      want: 'reply-stray',
    },
    {
      name: 'off-link',
      packet: { ...respond(a('g.local', '192.0.2.1')), id: 4711 },
      facts: { address: '203.0.113.1' },
      want: 'off-link',
    },
  ])('an answer by $name is not passed on', ({ packet, facts, want }) => {
    const scene = new Scene();
    const session = sessionOf(scene.hear('eth0', wire(query), { port: 40000 }));
    expect(scene.answer('tap0', session, wire(packet), facts).dropped).toBe(want);
  });

  test('a session ends', () => {
    const scene = new Scene();
    const session = sessionOf(scene.hear('eth0', wire(query), { port: 40000 }));
    expect(scene.wait(4999)).toEqual([]);
    expect(scene.wait(2)).toMatchObject([{ do: 'end', session: { id: session } }]);
    expect(scene.answer('tap0', session, wire(respond(a('g.local', '192.0.2.1')))).dropped).toBe(
      'reply-late',
    );
    expect(scene.relay.nextDue()).toBe(Infinity);
  });

  test('there are so many and no more: the oldest ends', () => {
    const scene = new Scene();
    const sessions = Array.from({ length: 300 }, (_, i) =>
      sessionOf(scene.hear('eth0', wire({ ...query, id: i }), { port: 40000 + i })),
    );
    expect(scene.relay.sessions).toBe(256);
    const ended = scene.actions.flatMap((action) => (action.do === 'end' ? [action.session.id] : []));
    expect(ended).toEqual(sessions.slice(0, 44));
  });
});

describe('known answers in several packets', () => {
  const part = (name: string, isLast: boolean): Packet => ({
    ...ask('_x._tcp.local', 'PTR', { answers: [ptr('_x._tcp.local', name)] }),
    flags: isLast ? 0 : 0x200,
  });
  const other = { address: '192.168.77.21' };
  const sentNames = (scene: Scene): readonly (string | undefined)[] =>
    scene.actions.flatMap((action) =>
      action.do === 'send' && action.ifindex === 2 ? [said(unwire(action.payload))[0]] : [],
    );
  const names = (...each: readonly string[]): readonly string[] =>
    each.map((name) => `_x._tcp.local PTR ${name}`);

  test('those of two hosts do not mix', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    expect(scene.hear('eth0', wire(part('b1', false)), other).exits[0]).toEqual({
      ifname: 'tap0',
      outcome: 'held',
    });
    scene.pass('eth0', part('b2', true), other);
    scene.pass('eth0', part('a2', true));
    scene.wait(1);
    expect(sentNames(scene)).toEqual(names('a1', 'a2', 'b1', 'b2'));
    expect([scene.relay.waiting, scene.relay.nextDue()]).toEqual([0, Infinity]);
  });

  test('one that never ends does not stop others for more than half a second', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    scene.pass('eth0', part('b1', true), other);
    scene.wait(499);
    expect(sentNames(scene)).toEqual(names('a1'));
    scene.wait(2);
    expect(sentNames(scene)).toEqual(names('a1', 'b1'));
  });

  test('a query without known answers does not wait, a response neither', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    expect(exitsOf(scene.hear('eth0', wire(ask('y.local')), other))).toHaveLength(2);
    expect(exitsOf(scene.hear('eth0', wire(respond(a('y.local', '192.168.77.9'))), other))).toHaveLength(2);
  });

  test('no more than so many wait', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    for (let i = 0; i < 64; i++) scene.hear('eth0', wire(part(`b${i}`, true)), other);
    expect(scene.hear('eth0', wire(part('b64', true)), other).exits[0]?.outcome).toBe('held-full');
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
    const changed = out.actions.find((action) => action.do === 'send' && action.ifindex === 1);
    if (changed?.do !== 'send') throw new Error('nothing went to the LAN');
    expect(scene.hear('eth0', changed.payload).dropped).toBe('looped');
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
      for (const action of step.actions) {
        if (action.do !== 'send' || action.ifindex === 3) continue;
        if (++copies > 50) throw new Error('storm');
        const ifname = action.ifindex === 1 ? 'eth0' : 'tap0';
        carry(
          to,
          from,
          to.hear(ifname, action.payload.slice(), {
            address: ifname === 'eth0' ? '192.168.77.3' : 'fe80::99',
          }),
        );
      }
    };
    const query = wire(ask('x.local'));
    const [first, second] = [one.hear('eth0', query), two.hear('eth0', query)];
    carry(one, two, first);
    carry(two, one, second);
    expect(copies).toBe(2);
  });
});

describe('directions', () => {
  const query = ask('_x._tcp.local');
  const response = respond(ptr('_x._tcp.local', 'y'));
  const probe = ask('x.local', 'ANY', { authorities: [aaaa('x.local', '2001:db8::1')] });
  test.each([
    { direction: 'two-way', from: 'eth0', packet: query, want: ['tap0', 'tap1'] },
    { direction: 'inbound', from: 'eth0', packet: query, want: ['tap0', 'tap1'] },
    { direction: 'inbound', from: 'eth0', packet: response, want: [] },
    { direction: 'inbound', from: 'tap0', packet: query, want: ['tap1'] },
    { direction: 'inbound', from: 'tap0', packet: response, want: ['eth0', 'tap1'] },
    { direction: 'inbound', from: 'tap0', packet: probe, want: ['eth0', 'tap1'] },
    { direction: 'outbound', from: 'eth0', packet: query, want: [] },
    { direction: 'outbound', from: 'eth0', packet: response, want: ['tap0', 'tap1'] },
    { direction: 'outbound', from: 'tap0', packet: query, want: ['eth0', 'tap1'] },
    { direction: 'outbound', from: 'tap0', packet: response, want: ['tap1'] },
    { direction: 'off', from: 'eth0', packet: response, want: [] },
  ] as const)('$direction, from $from: $want', ({ direction, from, packet, want }) => {
    expect(exitsOf(new Scene({ direction }).hear(from, wire(packet)))).toEqual(want);
  });

  test('of one guest, and between guests', () => {
    const scene = new Scene({ guestDirections: [{ guest: 'tap1', direction: 'off' }] });
    expect(exitsOf(scene.hear('eth0', wire(query)))).toEqual(['tap0']);
    scene.set({ betweenGuests: false });
    expect(exitsOf(scene.hear('tap0', wire(query), { address: NEIGHBOR.tap0 }))).toEqual([]); // looped: the LAN asked it
    scene.wait(1500);
    expect(exitsOf(scene.hear('tap0', wire(query)))).toEqual(['eth0']);
  });
});

test('what goes out to several exits alike is made once', () => {
  const step = new Scene().hear(
    'eth0',
    wire(respond(a('x.local', '192.168.77.9'), aaaa('x.local', 'fe80::9'))),
  );
  const payloads = step.actions.flatMap((action) => (action.do === 'send' ? [action.payload] : []));
  expect(payloads[0]).toBe(payloads[1]);
  expect(outOf(step).dropped).toBeUndefined();
});
