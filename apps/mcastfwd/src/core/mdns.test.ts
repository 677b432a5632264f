import type { Answer } from 'dns-packet';
import { a, aaaa, ptr, respond, said } from './testing/messages';
import { Scene, wire } from './testing/scene';

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
