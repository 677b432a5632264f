import type { AddressView, LinkView, ManagedUplink, NetworkView, RouteView } from '@pp/ports';
import { linkView as link } from '@pp/ports/testing';
import { uplinksOf, type UplinkChoice } from './uplinks';

const route = (ifindex: number, dst: string, metric = 0, via: string | null = null): RouteView => ({
  family: dst.includes(':') ? 'ipv6' : 'ipv4',
  dst,
  via,
  ifindex,
  src: null,
  metric,
});
const view = (links: LinkView[], routes: RouteView[] = [], addresses: AddressView[] = []): NetworkView => ({
  links,
  addresses,
  routes,
  markRules: [],
});
const eth = link(2, 'eth0', { physical: true });
const wifi = link(3, 'wlan0', { physical: true });

const managed = (ifname: string, kind: ManagedUplink['kind']): ManagedUplink => ({
  ifname,
  kind,
  gateways: [],
  nameservers: [],
});

interface Row {
  readonly name: string;
  readonly view: NetworkView;
  readonly choices?: readonly UplinkChoice[];
  readonly want: readonly string[];
  readonly awaited?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "OpenVPN's halves are a default route, and beat main's",
    view: view(
      [eth, link(9, 'tun0', { kind: 'tun' })],
      [
        route(2, '0.0.0.0/0', 0, '192.0.2.1'),
        route(9, '0.0.0.0/1', 0, '10.8.0.1'),
        route(9, '128.0.0.0/1', 0, '10.8.0.1'),
      ],
    ),
    want: ['tun0=vpn', 'eth0=ethernet'],
  },
  {
    name: 'one half alone is no default route',
    view: view(
      [eth, link(9, 'tun0', { kind: 'tun' })],
      [route(2, '0.0.0.0/0', 0, '192.0.2.1'), route(9, '0.0.0.0/1')],
    ),
    want: ['eth0=ethernet'],
  },
  {
    name: "a default route that beats main's (wg-quick)",
    view: view(
      [eth, link(9, 'wg0', { kind: 'wireguard' })],
      [route(2, '0.0.0.0/0', 0, '192.0.2.1'), { ...route(9, '0.0.0.0/0'), beatsMain: true }],
    ),
    want: ['wg0=vpn', 'eth0=ethernet'],
  },
  {
    name: 'a connection manager names them, whatever is chosen, and ranks them',
    view: {
      ...view([eth, wifi], [route(2, '0.0.0.0/0', 0, '192.0.2.1')]),
      managed: {
        uplinks: [
          managed('eth0', 'ethernet'),
          { ...managed('wlan0', 'wifi'), gateways: [{ family: 'ipv4', address: '198.51.100.1' }] },
          managed('wwan0', 'cellular'),
        ],
        best: ['wlan0'],
      },
    },
    want: ['wlan0=wifi', 'eth0=ethernet'],
    awaited: ['wwan0'],
  },
  {
    name: 'a connection manager that names none',
    view: { ...view([eth], [route(2, '0.0.0.0/0')]), managed: { uplinks: [], best: [] } },
    want: [],
  },
  {
    name: "Android's bridge with an IPv4 default route is its VPN; chosen or not, whatever its route says",
    view: view(
      [eth, link(9, 'arcbr0', { kind: 'bridge' })],
      [route(2, '0.0.0.0/0', 100, '192.0.2.1'), route(9, '0.0.0.0/0', 50)],
    ),
    want: ['arcbr0=vpn', 'eth0=ethernet'],
  },
  {
    name: "Android's bridge with an IPv6 default route is not: it has no way for that",
    view: view(
      [eth, link(9, 'arcbr0', { kind: 'bridge' })],
      [route(2, '0.0.0.0/0', 100, '192.0.2.1'), route(9, '::/0', 50)],
    ),
    choices: [
      { ifname: 'eth0', kind: null },
      { ifname: 'arcbr0', kind: null },
    ],
    want: ['eth0=ethernet', 'arcbr0=vpn'],
  },
  { name: 'no link', view: view([]), want: [] },
  {
    name: 'loopback is never one',
    view: view([link(1, 'lo', { loopback: true })], [route(1, '0.0.0.0/0')]),
    want: [],
  },
  { name: 'a physical link without routes is one', view: view([eth]), want: ['eth0=ethernet'] },
  { name: 'a link that nft cannot name is not', view: view([link(4, 'eth*', { physical: true })]), want: [] },
  {
    name: 'a link whose number marks have no room for is not, whatever leads out by it',
    view: view([link(64536, 'eth0', { physical: true })], [route(64536, '0.0.0.0/0')]),
    want: [],
  },
  {
    name: 'the last one with room is',
    view: view([link(64535, 'eth0', { physical: true })]),
    want: ['eth0=ethernet'],
  },
  { name: 'a virtual link is not', view: view([link(4, 'docker0', { kind: 'bridge' })]), want: [] },
  {
    name: 'a virtual link with a default route is',
    view: view([link(4, 'br0', { kind: 'bridge' })], [route(4, '0.0.0.0/0', 0, '10.0.0.1')]),
    want: ['br0=ethernet'],
  },
  {
    name: 'the port of a bridge is not',
    view: view([link(2, 'eth0', { physical: true, enslaved: true })]),
    want: [],
  },
  {
    name: 'the lower metric comes first',
    view: view([eth, wifi], [route(2, '0.0.0.0/0', 600), route(3, '0.0.0.0/0', 100)]),
    want: ['wlan0=wifi', 'eth0=ethernet'],
  },
  {
    name: 'an IPv4 default comes before an IPv6 one of lower metric',
    view: view([eth, wifi], [route(2, '::/0', 1), route(3, '0.0.0.0/0', 600)]),
    want: ['wlan0=wifi', 'eth0=ethernet'],
  },
  {
    name: 'kinds are told from links',
    view: view(
      [
        link(4, 'wwan0', { physical: true }),
        link(5, 'ppp0', { type: 512 }),
        link(6, 'wg0', { kind: 'wireguard', type: 65534 }),
        link(7, 'tun0', { kind: 'tun', type: 65534 }),
      ],
      [5, 6, 7].map((ifindex) => route(ifindex, '0.0.0.0/0', ifindex)),
    ),
    want: ['ppp0=vpn', 'wg0=vpn', 'tun0=vpn', 'wwan0=cellular'],
  },
  {
    name: 'only chosen links count, with the kind that was said',
    view: view([eth, wifi], [route(2, '0.0.0.0/0')]),
    choices: [
      { ifname: 'wlan0', kind: 'cellular' },
      { ifname: 'usb9', kind: null },
    ],
    want: ['wlan0=cellular'],
    awaited: ['usb9'],
  },
];

test.each(rows)('$name', ({ view: seen, choices = [], want, awaited = [] }) => {
  const uplinks = uplinksOf(seen, choices);
  expect(uplinks.present.map(({ ifname, kind }) => `${ifname}=${kind}`)).toEqual(want);
  expect(uplinks.awaited).toEqual(awaited);
});

test('an uplink carries its addresses, default routes and other routes', () => {
  const seen = view(
    [eth, wifi],
    [
      route(2, '0.0.0.0/0', 100, '192.168.77.1'),
      { ...route(2, '192.168.77.0/24'), src: '192.168.77.2' },
      route(3, '10.0.0.0/8'),
    ],
    [
      { ifindex: 2, cidr: '192.168.77.2/24' },
      { ifindex: 3, cidr: '10.0.0.2/8' },
    ],
  );
  expect(uplinksOf(seen, [{ ifname: 'eth0', kind: null }]).present).toEqual([
    {
      ifname: 'eth0',
      ifindex: 2,
      kind: 'ethernet',
      running: true,
      multicast: true,
      mtu: 1500,
      addresses: ['192.168.77.2/24'],
      defaults: [{ family: 'ipv4', gateway: '192.168.77.1', metric: 100 }],
      routes: [{ family: 'ipv4', dst: '192.168.77.0/24', gateway: null, src: '192.168.77.2', metric: 0 }],
    },
  ]);
});

test("the next hop into Android's own VPN is Android, by main's route or by the word of a connection manager", () => {
  const links = [eth, link(9, 'arcbr0', { kind: 'bridge' })];
  const told = { ...view(links, [route(2, '0.0.0.0/0', 0, '192.0.2.1')]) };
  const uplinks = [managed('arcbr0', 'vpn'), managed('eth0', 'ethernet')];
  for (const [seen, metric] of [
    [view(links, [route(9, '0.0.0.0/0', 50)]), 50],
    [{ ...told, managed: { uplinks, best: ['arcbr0', 'eth0'] } }, 0],
  ] as const) {
    const [first] = uplinksOf(seen, []).present;
    expect(first).toMatchObject({
      ifname: 'arcbr0',
      defaults: [{ family: 'ipv4', gateway: '100.115.92.2', metric }],
    });
  }
});

test('what a connection manager passes over is no default, whatever its routes; its name servers go with it', () => {
  const seen = view(
    [eth, wifi],
    [route(2, '0.0.0.0/0', 0, '192.0.2.1'), route(3, '0.0.0.0/0', 600, '198.51.100.1')],
  );
  const uplinks = [{ ...managed('eth0', 'ethernet'), nameservers: ['192.0.2.53'] }, managed('wlan0', 'wifi')];
  const told = (best: readonly string[]): readonly unknown[] =>
    uplinksOf({ ...seen, managed: { uplinks, best } }, []).present.map(
      ({ ifname, passedOver = false, nameservers = [] }) => [ifname, passedOver, ...nameservers],
    );
  expect(told(['wlan0'])).toEqual([
    ['wlan0', false],
    ['eth0', true, '192.0.2.53'],
  ]);
  expect(told([])).toEqual([
    ['eth0', true, '192.0.2.53'],
    ['wlan0', true],
  ]);
});
