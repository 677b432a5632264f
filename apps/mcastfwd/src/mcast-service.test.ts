import { KernelError, seconds } from '@pp/base';
import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { ExitCode, Refused } from '@pp/daemon';
import { FakeGroupPorts, ScriptedInterfaces } from '@pp/ports/testing';
import { controlOf } from './control';
import { groupsOf } from './core/group';
import { DEFAULT_POLICY } from './core/policy';
import { LAN_ADDRESS, LINKS, NEIGHBOR, VIEW, wire } from './core/testing/scene';
import { forwardsOf, linksOf } from './from-forwarding';
import { McastService } from './mcast-service';
import type { Settings } from './settings';
import { statusOf } from './status';

const SETTINGS: Settings = { links: LINKS, groups: groupsOf(['mdns']), policy: DEFAULT_POLICY, told: [] };
const GROUP = '224.0.0.251';

class Rig {
  readonly ports = new FakeGroupPorts();
  readonly interfaces = new ScriptedInterfaces();
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  readonly service: McastService;

  constructor(settings: Partial<Settings> = {}) {
    const { ports, interfaces, clock, log } = this;
    ports.plug(1, LAN_ADDRESS, 'fe80::1');
    ports.plug(2, '100.115.92.25', 'fe80::2');
    ports.plug(3, '100.115.92.29', 'fe80::3');
    this.service = new McastService({ ...SETTINGS, ...settings }, { ports, interfaces, clock, log });
  }

  async start(): Promise<this> {
    this.interfaces.tell(VIEW);
    await this.service.start();
    return this;
  }

  /** "2 100.115.92.25:5353 -> 224.0.0.251:5353" */
  get sent(): readonly string[] {
    return this.ports.sent.map(({ ifindex, from, to }) => `${ifindex} ${from} -> ${to}`);
  }

  asks(ifindex: number, address: string, port = 5353, id = 0): void {
    const data = wire({ type: 'query', id, questions: [{ type: 'A', name: 'x.local', class: 'IN' }] });
    this.ports.hear(ifindex, GROUP, 5353, { data, address, port });
  }
}

const JOINED = [
  '1 224.0.0.251:5353',
  '1 ff02::fb:5353',
  '2 224.0.0.251:5353',
  '2 ff02::fb:5353',
  '3 224.0.0.251:5353',
  '3 ff02::fb:5353',
];

test('a port for each group on each interface, and packets go from one to the others', async () => {
  const rig = await new Rig().start();
  expect(rig.ports.open).toEqual(JOINED);
  rig.asks(1, NEIGHBOR.eth0);
  expect(rig.sent).toEqual([
    '2 100.115.92.25:5353 -> 224.0.0.251:5353',
    '3 100.115.92.29:5353 -> 224.0.0.251:5353',
  ]);
});

// RFC 6762 §11; UPnP Device Architecture 2.0, §1.1.2
test.each([
  { what: 'mDNS', group: GROUP, port: 5353, text: '', want: 255 },
  {
    what: 'SSDP',
    group: '239.255.255.250',
    port: 1900,
    text: 'NOTIFY * HTTP/1.1\r\nNT: x\r\nNTS: y\r\n\r\n',
    want: 2,
  },
])('what goes out for $what lives $want hops', async ({ group, port, text, want }) => {
  const rig = await new Rig({ groups: groupsOf(['mdns', 'ssdp']) }).start();
  if (text === '') rig.asks(1, NEIGHBOR.eth0);
  else rig.ports.hear(1, group, port, { data: new TextEncoder().encode(text), address: NEIGHBOR.eth0, port });
  expect(rig.ports.sent.map(({ hopLimit }) => hopLimit)).toEqual([want, want]);
});

test('interfaces that come and go, and their addresses', async () => {
  const rig = await new Rig({ links: [{ lan: 'eth0', guests: ['tap0', 'wlan7'] }] }).start();
  expect(rig.log.lines).toContain('info interface.awaited ifname=wlan7 why=absent');
  const [eth0, tap0] = VIEW.links;
  if (eth0 === undefined || tap0 === undefined) throw new Error('no links');
  rig.interfaces.tell({ ...VIEW, links: [eth0, { ...tap0, running: false }] });
  expect(rig.ports.open).toEqual(JOINED.slice(0, 2));
  rig.interfaces.tell({ ...VIEW, addresses: VIEW.addresses.filter(({ cidr }) => cidr.includes(':')) });
  expect(rig.ports.open).toEqual(['1 ff02::fb:5353', '2 ff02::fb:5353']);
  rig.interfaces.tell(VIEW);
  expect(rig.ports.open).toEqual(JOINED.slice(0, 4));
  expect(rig.log.lines.filter((line) => line.includes('awaited') && line.includes('wlan7'))).toHaveLength(1);
});

test('one that is gone before its news is tried again', async () => {
  const rig = new Rig();
  rig.ports.unplug(2);
  await rig.start();
  expect(rig.ports.open).toHaveLength(4);
  rig.ports.plug(2, '100.115.92.25', 'fe80::2');
  rig.clock.advance(seconds(1));
  expect(rig.ports.open).toEqual(JOINED);
});

test('one that there are too few descriptors for is tried again', async () => {
  const rig = new Rig();
  jest.spyOn(rig.ports, 'openGroup').mockImplementationOnce(() => {
    throw new KernelError('EMFILE', 'socket');
  });
  await rig.start();
  expect(rig.ports.open).toHaveLength(5);
  rig.clock.advance(seconds(1));
  expect(rig.ports.open).toEqual(JOINED);
});

test('a refused send is counted, and the others go out', async () => {
  const rig = await new Rig().start();
  rig.ports.refusing.add(2);
  rig.asks(1, NEIGHBOR.eth0);
  expect(rig.sent).toHaveLength(1);
  expect(statusOf(rig.service)).toMatchObject({
    received: 1,
    forwarded: 1,
    groups: [
      { group: '224.0.0.251:5353', sent: 1, sendFailures: 1 },
      { group: '[ff02::fb]:5353', sent: 0 },
    ],
  });
});

test('a one-shot query goes from a port of its own, and the answer from the group’s port', async () => {
  const rig = await new Rig().start();
  rig.asks(1, NEIGHBOR.eth0, 40000, 7);
  expect(rig.ports.searchPorts).toEqual([61001]);
  const data = wire({
    type: 'response',
    id: 7,
    answers: [{ type: 'A', name: 'x.local', ttl: 9, data: '192.0.2.1' }],
  });
  rig.ports.hearAnswer(2, 61001, { data, address: NEIGHBOR.tap0, port: 5353 });
  expect(rig.sent).toEqual([
    '2 100.115.92.25:61001 -> 224.0.0.251:5353',
    '3 100.115.92.29:61001 -> 224.0.0.251:5353',
    `1 ${LAN_ADDRESS}:5353 -> ${NEIGHBOR.eth0}:40000`,
  ]);
  rig.clock.advance(seconds(6));
  expect(rig.ports.searchPorts).toEqual([]);
  expect(rig.clock.pending()).toEqual([]);
});

test('answers from the session’s port, where that is asked for', async () => {
  const rig = await new Rig({ policy: { ...DEFAULT_POLICY, replyFrom: 'session' } }).start();
  rig.asks(1, NEIGHBOR.eth0, 40000, 7);
  const data = wire({
    type: 'response',
    id: 7,
    answers: [{ type: 'A', name: 'x.local', ttl: 9, data: '192.0.2.1' }],
  });
  rig.ports.hearAnswer(2, 61001, { data, address: NEIGHBOR.tap0, port: 5353 });
  expect(rig.sent.at(-1)).toBe(`1 ${LAN_ADDRESS}:61001 -> ${NEIGHBOR.eth0}:40000`);
});

test('stopping leaves nothing open', async () => {
  const rig = await new Rig().start();
  rig.asks(1, NEIGHBOR.eth0, 40000);
  rig.service.stop();
  expect([rig.ports.open, rig.ports.searchPorts, rig.clock.pending()]).toEqual([[], [], []]);
});

describe('commands', () => {
  const ask = (rig: Rig, line: string, claim = (): void => undefined): string => {
    let answer = '';
    const client = { tell: () => undefined, end: (text: string) => (answer = text), onGone: () => undefined };
    controlOf(rig.service, claim)(JSON.stringify(line.split(' ')), client);
    return answer.replace(/^error /, '');
  };

  test('groups come and go while it runs', async () => {
    const rig = await new Rig().start();
    expect(ask(rig, 'group add 239.255.255.250:3702:reply=10')).toBe('OK');
    expect(rig.ports.open).toContain('2 239.255.255.250:3702');
    expect(ask(rig, 'group del 239.255.255.250:3702')).toBe('OK');
    expect(rig.ports.open).toEqual(JOINED);
    expect(ask(rig, 'group del 239.255.255.250:3702')).toBe('there is no group 239.255.255.250:3702');
  });

  test('directions, filters, forwards', async () => {
    const rig = await new Rig().start();
    for (const line of [
      'direction inbound',
      'direction off tap1',
      'guests apart',
      'filter deny out:_ipp._tcp',
      'filter allow _ssh._tcp',
      'forward add tcp:8080=100.64.0.2:80',
    ])
      expect(ask(rig, line)).toBe('OK');
    expect(statusOf(rig.service)).toMatchObject({
      direction: 'inbound',
      guests: 'apart',
      filters: ['deny out:_ipp._tcp', 'allow _ssh._tcp'],
      forwards: ['tcp:8080=100.64.0.2:80'],
      members: [
        { ifname: 'eth0' },
        { ifname: 'tap0', direction: 'inbound' },
        { ifname: 'tap1', direction: 'off' },
      ],
    });
    expect(ask(rig, 'filter del out:_ipp._tcp')).toBe('OK');
    expect(ask(rig, 'forward del tcp:8080=100.64.0.2:80')).toBe('OK');
    expect(rig.service.settings.policy).toMatchObject({ filters: [{ text: '_ssh._tcp' }], forwards: [] });
  });

  test.each([
    { line: 'direction up', want: "direction 'up' is unknown; write two-way or inbound or outbound or off" },
    ...['', 'a/b', 'sixteen-letters.'].map((guest) => ({
      line: `direction off ${guest}`,
      want: `guest '${guest}' cannot be an interface; write a name as "ip link" shows it, or no GUEST for all`,
    })),
    { line: 'filter del x', want: "there is no filter 'x'" },
    { line: 'forward del tcp:1=192.0.2.1:1', want: "there is no forward 'tcp:1=192.0.2.1:1'" },
    { line: 'group add 1.2.3.4:5', want: expect.stringContaining('not a multicast address') as string },
    { line: 'guests maybe', want: expect.stringContaining("'guests maybe' is not understood") as string },
    {
      line: 'dance',
      want: expect.stringContaining(
        "'dance' is not understood; write trace [TEXT], or group add|del",
      ) as string,
    },
  ])('$line', async ({ line, want }) => {
    const rig = await new Rig().start();
    const before = rig.service.settings;
    expect(ask(rig, line)).toEqual(want);
    expect(rig.service.settings).toBe(before);
  });

  test('what another relay is in the way of changes nothing', async () => {
    const rig = await new Rig().start();
    const before = rig.service.settings;
    const refused = (): never => {
      throw new Refused(ExitCode.failed, 'another mcastfwd, pid 7, relays it', { advice: 'stop it' });
    };
    expect(ask(rig, 'group add 239.255.255.250:3702', refused)).toBe(
      'another mcastfwd, pid 7, relays it; stop it',
    );
    expect(rig.service.settings).toBe(before);
  });

  test('a trace tells each packet, and who has gone is not told', async () => {
    const rig = await new Rig().start();
    const told: string[] = [];
    let gone = (): void => undefined;
    controlOf(rig.service, () => undefined)('["trace","x.local"]', {
      tell: (line) => told.push(line),
      end: () => undefined,
      onGone: (then) => (gone = then),
    });
    rig.asks(1, NEIGHBOR.eth0);
    rig.asks(1, '203.0.113.1');
    gone();
    rig.asks(1, NEIGHBOR.eth0, 5353, 9);
    expect(told).toEqual([
      'mdns in eth0 192.168.77.20:5353 query x.local A, 25 B: tap0 sent, tap1 sent',
      'mdns in eth0 203.0.113.1:5353 query x.local A, 25 B: dropped, off-link (its source is not on the link that it came by)',
    ]);
    expect(rig.service.tracer).toBeNull();
  });
});

test('what the manager says becomes links, by uplink, where multicast is wanted', () => {
  const pair = (upstream: string, downstream: string, multicast: boolean) => ({
    upstream,
    downstream,
    multicast,
    ipv6: true,
    broadcast: true,
  });
  const pairs = [
    pair('eth0', 'vmtap0', true),
    pair('eth0', 'vmtap1', false),
    pair('wlan0', 'arc_wlan0', true),
  ];
  expect(forwardsOf({ pairs, arc: null })).toEqual([]);
  const ports = [{ upstream: 'eth0', protocol: 17, port: 8080, address: '100.64.0.2', targetPort: 80 }];
  expect(forwardsOf({ pairs, arc: null, ports })).toEqual([
    { protocol: 'udp', hostPort: 8080, guest: '100.64.0.2', guestPort: 80, lan: 'eth0' },
  ]);
  expect(linksOf({ pairs, arc: null })).toEqual([
    { lan: 'eth0', guests: ['vmtap0'] },
    { lan: 'wlan0', guests: ['arc_wlan0'] },
  ]);
});
