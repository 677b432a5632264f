import { a, ask, respond, said } from './testing/messages';
import { LAN_ADDRESS, NEIGHBOR, Scene, sessionOf, unwire, wire } from './testing/scene';

describe('one-shot queries', () => {
  const query = { ...ask('g.local', 'A'), id: 4711 };

  test('go out from a port of their own; answers come back as they are, with the LAN’s address for the guest', () => {
    const scene = new Scene();
    const step = scene.hear('eth0', wire(query), { port: 40000 });
    expect(step.actions).toMatchObject([{ do: 'search', ifindexes: [2, 3] }]);
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

  test('a client that asks much at once: the oldest questions are forgotten', () => {
    const scene = new Scene();
    const ids = Array.from({ length: 33 }, (_, i) => 100 + i);
    const [session = 0] = ids.map((id) =>
      sessionOf(scene.hear('eth0', wire({ ...query, id }), { port: 40000 })),
    );
    const answered = (id: number): unknown =>
      scene.answer('tap0', session, wire({ ...respond(a('g.local', NEIGHBOR.tap0)), id })).dropped;
    expect([100, 101, 132].map(answered)).toEqual(['reply-stray', null, null]);
  });

  test('a flood from one link ends no search from another', () => {
    const scene = new Scene();
    const kept = sessionOf(scene.hear('eth0', wire(query), { port: 40000 }));
    for (let i = 0; i < 300; i++) scene.hear('tap0', wire({ ...query, id: i }), { port: 40000 + i });
    expect(scene.relay.sessions).toBe(256);
    const answer = wire({ ...respond(a('g.local', NEIGHBOR.tap1)), id: 4711 });
    expect(scene.answer('tap1', kept, answer).dropped).toBeNull();
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
