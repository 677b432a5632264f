import { uplink } from '../testing/worlds';
import type { Uplink } from './uplink';
import { nameserversIn, watchedNeighbors } from './watched-neighbors';

const wifi: Uplink = {
  ...uplink('wlan0', 'wifi', 600),
  ifindex: 3,
  addresses: ['192.0.2.10/24', '2001:db8:1::10/64', 'fe80::10/64'],
  defaults: [
    { family: 'ipv4', gateway: '192.0.2.1', metric: 600 },
    { family: 'ipv6', gateway: 'fe80::1', metric: 1024 },
  ],
};
const eth: Uplink = uplink('eth0', 'ethernet', 100);

const rows = [
  { name: 'gateways', servers: [], want: ['192.0.2.1 GATEWAY', 'fe80::1 GATEWAY'] },
  {
    name: 'a name server on the link',
    servers: ['192.0.2.53', '2001:db8:1::53'],
    want: ['192.0.2.1 GATEWAY', 'fe80::1 GATEWAY', '192.0.2.53 DNS_SERVER', '2001:db8:1::53 DNS_SERVER'],
  },
  {
    name: 'a gateway that is one, too',
    servers: ['192.0.2.1', 'fe80::1%wlan0'],
    want: ['192.0.2.1 GATEWAY_AND_DNS_SERVER', 'fe80::1 GATEWAY_AND_DNS_SERVER'],
  },
  {
    name: 'a name server however it is written',
    servers: ['FE80:0::1%wlan0', '2001:DB8:1:0:0:0:0:53'],
    want: ['192.0.2.1 GATEWAY', 'fe80::1 GATEWAY_AND_DNS_SERVER', '2001:db8:1::53 DNS_SERVER'],
  },
  {
    name: 'a name server on a link that is named by its number',
    servers: ['fe80::53%3', 'fe80::54%4'],
    want: ['192.0.2.1 GATEWAY', 'fe80::1 GATEWAY', 'fe80::53 DNS_SERVER'],
  },
  {
    name: 'servers elsewhere, of another link, and what is no address',
    servers: ['203.0.113.53', 'fe80::53%eth0', 'localhost', '127.0.0.53'],
    want: ['192.0.2.1 GATEWAY', 'fe80::1 GATEWAY'],
  },
];

test.each(rows)('watched on wifi: $name', ({ servers, want }) => {
  const watched = watchedNeighbors([eth, wifi], servers, 'wifi');
  expect(watched.map(({ address, role }) => `${address} ${role}`)).toEqual(want);
  expect(watched.every(({ ifindex }) => ifindex === 3)).toBe(true);
});

test('all uplinks on demand; one that is its own gateway has none', () => {
  const ppp: Uplink = { ...eth, defaults: [{ family: 'ipv4', gateway: null, metric: 0 }] };
  expect(watchedNeighbors([eth, ppp], [], 'all')).toEqual([
    { ifindex: 2, address: '192.0.2.1', role: 'GATEWAY' },
  ]);
});

test('name servers of a resolv.conf', () => {
  const text =
    '# nameserver 9.9.9.9\nsearch lab\nnameserver 192.0.2.53\n nameserver fe80::1%wlan0 \nnameserver\n';
  expect(nameserversIn(text)).toEqual(['192.0.2.53', 'fe80::1%wlan0']);
});

test("an uplink's own name servers come before the host's, in whatever order they are told", () => {
  const own = (nameservers: readonly string[]): readonly string[] =>
    watchedNeighbors([{ ...wifi, defaults: [], nameservers }], ['192.0.2.99'], 'wifi').map(
      ({ address }) => address,
    );
  expect(own(['192.0.2.54', '192.0.2.53'])).toEqual(['192.0.2.53', '192.0.2.54']);
  expect(own([])).toEqual([]);
});
