import { millis } from '@pp/base';
import type { Answer, Packet } from 'dns-packet';
import { a, aaaa, ask, ptr, respond, said, srv } from './testing/messages';
import { GROUP, LAN_ADDRESS, NEIGHBOR, Scene, VIEW, wire } from './testing/scene';

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
