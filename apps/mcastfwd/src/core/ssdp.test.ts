import type { Policy } from './policy';
import {
  exitsOf,
  GROUP,
  LAN_ADDRESS,
  NEIGHBOR,
  Scene,
  sentBy,
  sessionOf,
  type Ifname,
} from './testing/scene';

const lines = (...each: readonly string[]): Uint8Array =>
  new TextEncoder().encode([...each, '', ''].join('\r\n'));
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const search = (more: readonly string[] = []): Uint8Array =>
  lines('M-SEARCH * HTTP/1.1', 'HOST: 239.255.255.250:1900', 'MAN: "ssdp:discover"', 'ST: ssdp:all', ...more);
const alive = (location: string): Uint8Array =>
  lines('NOTIFY * HTTP/1.1', 'NT: x', 'NTS: ssdp:alive', `LOCATION: ${location}`);
const byebye = lines('NOTIFY * HTTP/1.1', 'NT: x', 'NTS: ssdp:byebye');
const ok = (location: string): Uint8Array =>
  lines('HTTP/1.1 200 OK', 'ST: x', 'EXT:', `Location: ${location}`);
const ssdp = { group: GROUP.ssdp4, port: 50000 };

describe('announcements', () => {
  test('go both ways as they are, and from the group’s own port', () => {
    const step = new Scene().hear('eth0', alive('http://192.168.77.20:8200/d.xml'), ssdp);
    expect(step.actions).toMatchObject([{ do: 'send', ifindexes: [2, 3] }]);
    expect(exitsOf(new Scene().hear('tap0', byebye, ssdp))).toEqual(['eth0', 'tap1']);
  });

  const forwards = [{ protocol: 'tcp', hostPort: 8080, guest: NEIGHBOR.tap0, guestPort: 80 }] as const;
  const rows: { name: string; from: Ifname; in: string; policy: Partial<Policy>; want: string }[] = [
    {
      name: 'a guest with a forward',
      from: 'tap0',
      in: `http://${NEIGHBOR.tap0}/d`,
      policy: { forwards },
      want: `http://${LAN_ADDRESS}:8080/d`,
    },
    {
      name: 'a guest without',
      from: 'tap0',
      in: `http://${NEIGHBOR.tap0}:81/d`,
      policy: { forwards },
      want: 'location-unforwarded',
    },
    {
      name: 'a guest, kept',
      from: 'tap0',
      in: `http://${NEIGHBOR.tap0}/d`,
      policy: { locations: 'keep' },
      want: `http://${NEIGHBOR.tap0}/d`,
    },
    {
      name: 'a guest, not to be rewritten',
      from: 'tap0',
      in: `http://${NEIGHBOR.tap0}/d`,
      policy: { forwards, locations: 'drop-unreachable' },
      want: 'location-unforwarded',
    },
    {
      name: 'a guest without NAT',
      from: 'tap0',
      in: `http://${NEIGHBOR.tap0}/d`,
      policy: { nat: [] },
      want: `http://${NEIGHBOR.tap0}/d`,
    },
    { name: 'a name', from: 'tap0', in: 'http://tv.local/d', policy: {}, want: 'http://tv.local/d' },
    {
      name: 'link-local',
      from: 'tap0',
      in: 'http://169.254.1.1/d',
      policy: {},
      want: 'location-unreachable',
    },
    { name: 'loopback', from: 'tap0', in: 'http://127.0.0.1/d', policy: {}, want: 'location-unreachable' },
    {
      name: 'link-local IPv6',
      from: 'tap0',
      in: 'http://[fe80::1]/d',
      policy: {},
      want: 'location-unreachable',
    },
    {
      name: 'loopback in the dress of IPv6',
      from: 'tap0',
      in: 'http://[::ffff:127.0.0.1]/d',
      policy: {},
      want: 'location-unreachable',
    },
    { name: 'no URL', from: 'tap0', in: 'x', policy: {}, want: 'location-unreachable' },
  ];
  test.each(rows)('LOCATION of $name', ({ from, in: location, policy, want }) => {
    const step = new Scene(policy).hear(from, alive(location), ssdp);
    const [outcome] = step.exits;
    expect(/^LOCATION: (.*)\r$/m.exec(text(sentBy(step, 'eth0')[0]))?.[1] ?? outcome?.outcome).toBe(want);
  });
});

describe('other headers with a URL', () => {
  const forwards = [{ protocol: 'tcp', hostPort: 8080, guest: NEIGHBOR.tap0, guestPort: 80 }] as const;
  const GOOD = `LOCATION: http://${NEIGHBOR.tap0}/d`;
  const SEEN = `LOCATION: http://${LAN_ADDRESS}:8080/d`;
  const rows: { name: string; in: readonly string[]; want: readonly string[] | string }[] = [
    {
      name: 'are rewritten as LOCATION is',
      in: [`Application-URL: http://${NEIGHBOR.tap0}/apps/`, GOOD, `AL: <x:y><http://${NEIGHBOR.tap0}:80/a>`],
      want: [
        `Application-URL: http://${LAN_ADDRESS}:8080/apps/`,
        SEEN,
        `AL: <x:y><http://${LAN_ADDRESS}:8080/a>`,
      ],
    },
    {
      name: 'that lead nowhere are left out, and LOCATION stays',
      in: [`SECURELOCATION.UPNP.ORG: https://${NEIGHBOR.tap0}/d`, GOOD, 'Al: <http://127.0.0.1/>', 'X: 1'],
      want: [SEEN, 'X: 1'],
    },
    { name: 'of HTTP or not', in: [GOOD, 'AL: <urn:x>'], want: [SEEN, 'AL: <urn:x>'] },
    { name: 'and no LOCATION', in: ['AL: <http://[fe80::1]/>'], want: 'location-unreachable' },
    {
      name: 'do not stand for LOCATION',
      in: ['LOCATION: http://127.0.0.1/', 'AL: <http://tv/>'],
      want: 'location-unreachable',
    },
  ];
  test.each(rows)('$name', ({ in: more, want }) => {
    const head = ['NOTIFY * HTTP/1.1', 'NT: x', 'NTS: ssdp:alive'];
    const step = new Scene({ forwards }).hear('tap0', lines(...head, ...more), ssdp);
    const [sent] = sentBy(step, 'eth0');
    expect(sent === undefined ? step.exits[0]?.outcome : text(sent)).toEqual(
      typeof want === 'string' ? want : text(lines(...head, ...want)),
    );
  });
});

describe('searches', () => {
  test('of many searchers at once: each gets its answers, from however many devices', () => {
    const scene = new Scene();
    const first = sessionOf(scene.hear('tap0', search(), { ...ssdp, port: 40001 }));
    const second = sessionOf(scene.hear('tap0', search(), { ...ssdp, port: 40002 }));
    for (const [session, port] of [
      [first, 40001],
      [second, 40002],
      [first, 40001],
    ] as const) {
      const step = scene.answer('eth0', session, ok('http://192.168.77.20:8200/'), { ...ssdp, port: 1900 });
      expect(step.actions).toMatchObject([
        { do: 'answer', session: { client: { port, address: NEIGHBOR.tap0 } } },
      ]);
    }
  });

  test('a guest’s answer to the LAN tells where it is reached', () => {
    const forwards = [{ protocol: 'tcp', hostPort: 8080, guest: NEIGHBOR.tap0, guestPort: 80 }] as const;
    const scene = new Scene({ forwards });
    const session = sessionOf(scene.hear('eth0', search(), ssdp));
    const step = scene.answer('tap0', session, ok(`http://${NEIGHBOR.tap0}:80/d`), ssdp);
    const [action] = step.actions;
    expect(action?.do === 'answer' && text(action.payload)).toContain(
      `\r\nLocation: http://${LAN_ADDRESS}:8080/d\r\n`,
    );
  });

  test.each([
    { mx: 'MX: 1', lives: 4900, ends: 5100 },
    { mx: 'MX: 5', lives: 6900, ends: 7100 },
    { mx: 'MX: 99', lives: 6900, ends: 7100 },
  ])('$mx', ({ mx, lives, ends }) => {
    const scene = new Scene();
    scene.hear('eth0', search([mx]), ssdp);
    scene.wait(lives);
    expect(scene.relay.sessions).toBe(1);
    scene.wait(ends - lives);
    expect(scene.relay.sessions).toBe(0);
  });

  test.each([
    { name: 'off-link', in: search(), facts: { address: '203.0.113.1' }, want: 'off-link' },
    { name: 'an answer to the group', in: ok('http://192.0.2.1/'), facts: {}, want: 'ssdp-stray' },
    { name: 'noise', in: Uint8Array.of(1, 2, 3), facts: {}, want: 'ssdp-header' },
  ])('$name: $want', ({ in: data, facts, want }) => {
    expect(new Scene().hear('eth0', data, { ...ssdp, ...facts }).dropped).toBe(want);
  });

  test('that two relays pass to each other end', () => {
    const scene = new Scene();
    let passed = 0;
    for (let i = 0; i < 50; i++) {
      const from = i % 2 === 0 ? 'eth0' : 'tap0';
      if (scene.hear(from, search(), { ...ssdp, port: 50000 + i }).dropped === null) passed++;
    }
    expect(passed).toBeLessThan(25);
  });
});

test('a group of which nothing is known goes as it is, with answers if there are any', () => {
  const group = { ...GROUP.ssdp4, kind: 'other', name: 'x', port: 3702, replySec: 10 } as const;
  const scene = new Scene();
  const data = Uint8Array.of(1, 2, 3);
  const session = sessionOf(scene.hear('tap0', data, { group, port: 40000 }));
  const step = scene.answer('eth0', session, Uint8Array.of(4), { group });
  expect(step.actions).toMatchObject([{ do: 'answer', payload: Uint8Array.of(4) }]);
  const silent = { ...group, port: 3703, replySec: 0 } as const;
  expect(scene.hear('tap0', data, { group: silent }).actions).toMatchObject([
    { do: 'send', ifindexes: [1, 3] },
  ]);
});
