import type { ManagedNetwork } from '@pp/ports';
import { managedNetwork, type Properties, type ShillDevice, type ShillService } from './shill-network';

const props = (object: Readonly<Record<string, unknown>>): Properties => new Map(Object.entries(object));
const CONFIG = {
  Method: 'dhcp',
  Address: '192.0.2.10',
  Prefixlen: 24,
  Gateway: '192.0.2.1',
  NameServers: [],
};
const device = (
  Interface: string,
  Type: string,
  ...configs: readonly Readonly<Record<string, unknown>>[]
): ShillDevice => ({ properties: props({ Interface, Type }), ipConfigs: configs.map(props) });
const service = (of: ShillDevice | null, Type: string, IsConnected: unknown = true): ShillService => ({
  properties: props({ Type, IsConnected }),
  device: of,
});

const eth = device('eth0', 'ethernet', CONFIG);
const wifi = device('wlan0', 'wifi');
const tun = device('tun0', 'tunnel');

const rows: readonly {
  readonly name: string;
  readonly services: readonly ShillService[];
  readonly want: readonly string[];
}[] = [
  { name: 'no service', services: [], want: [] },
  {
    name: 'the first connected one',
    services: [service(wifi, 'wifi'), service(eth, 'ethernet')],
    want: ['wlan0'],
  },
  {
    name: 'a VPN before it',
    services: [service(tun, 'vpn'), service(eth, 'ethernet')],
    want: ['tun0', 'eth0'],
  },
  { name: 'a VPN alone', services: [service(tun, 'vpn')], want: ['tun0'] },
  {
    name: 'none where the best is not connected, whatever comes after',
    services: [service(wifi, 'wifi', false), service(eth, 'ethernet')],
    want: [],
  },
  {
    name: 'none where it has no device',
    services: [service(null, 'wifi'), service(eth, 'ethernet')],
    want: [],
  },
  { name: 'none where it does not say', services: [service(wifi, 'wifi', 'yes')], want: [] },
  { name: 'none where it has no type', services: [service(wifi, '')], want: [] },
];

test.each(rows)('defaults: $name', ({ services, want }) => {
  expect(managedNetwork({ devices: [eth, wifi], services }).best).toEqual(want);
});

test('uplinks are devices of known kinds, and a VPN by its service', () => {
  const devices = [
    eth,
    wifi,
    device('lo', 'loopback'),
    device('', 'wifi'),
    device('rmnet0', 'cellular'),
    tun,
  ];
  const { uplinks } = managedNetwork({
    devices,
    services: [service(tun, 'vpn'), service(eth, 'etherneteap')],
  });
  expect(uplinks.map(({ ifname, kind }) => `${ifname}=${kind}`)).toEqual([
    'tun0=vpn',
    'eth0=ethernet',
    'wlan0=wifi',
    'rmnet0=cellular',
  ]);
});

test('a default network of a device that is in no list of uplinks is one', () => {
  const ppp = device('ppp0', 'ppp', { ...CONFIG, Gateway: '198.51.100.1' });
  const { uplinks, best } = managedNetwork({ devices: [eth, ppp], services: [service(ppp, 'pppoe')] });
  expect([uplinks.map(({ ifname }) => ifname), best]).toEqual([['ppp0', 'eth0'], ['ppp0']]);
});

test.each([
  {
    name: 'of both families, IPv4 as it came',
    in: [['192.0.2.53', '192.0.2.1'], ['2001:db8::53']],
    want: ['192.0.2.53', '192.0.2.1', '2001:db8::53'],
  },
  { name: 'none', in: [[], []], want: [] },
  { name: 'what is no text', in: [[7, null, '', '192.0.2.53'], []], want: ['192.0.2.53'] },
  { name: 'what is no list', in: ['192.0.2.53', ['2001:db8::53']], want: ['2001:db8::53'] },
  {
    name: 'too many',
    in: [Array.from({ length: 20 }, (_, i) => `192.0.2.${i + 1}`), []],
    want: Array.from({ length: 8 }, (_, i) => `192.0.2.${i + 1}`),
  },
])('name servers: $name', ({ in: [v4, v6], want }) => {
  const configs = [
    { ...CONFIG, NameServers: v4 },
    { ...CONFIG, Method: 'ipv6', Address: '2001:db8::10', Gateway: 'fe80::1', NameServers: v6 },
  ];
  const [uplink] = managedNetwork({
    devices: [device('eth0', 'ethernet', ...configs)],
    services: [],
  }).uplinks;
  expect(uplink?.nameservers).toEqual(want);
});

const configs: readonly {
  readonly name: string;
  readonly in: readonly Readonly<Record<string, unknown>>[];
  readonly want: ManagedNetwork['uplinks'][number]['gateways'];
}[] = [
  { name: 'one', in: [CONFIG], want: [{ family: 'ipv4', address: '192.0.2.1' }] },
  {
    name: 'the first of each family',
    in: [CONFIG, { ...CONFIG, Gateway: '192.0.2.2' }, { ...CONFIG, Method: 'ipv6', Gateway: 'fe80::1' }],
    want: [
      { family: 'ipv4', address: '192.0.2.1' },
      { family: 'ipv6', address: 'fe80::1' },
    ],
  },
  { name: 'an unknown method', in: [{ ...CONFIG, Method: 'pppoe' }], want: [] },
  { name: 'without name servers', in: [{ ...CONFIG, NameServers: undefined, Gateway: '' }], want: [] },
  { name: 'prefix length 0', in: [{ ...CONFIG, Prefixlen: 0 }], want: [] },
  { name: 'a gateway that is none', in: [{ ...CONFIG, Gateway: 'fe80::1' }], want: [] },
];

test.each(configs)('gateways: $name', ({ in: ipConfigs, want }) => {
  const [uplink] = managedNetwork({
    devices: [device('eth0', 'ethernet', ...ipConfigs)],
    services: [],
  }).uplinks;
  expect(uplink?.gateways).toEqual(want);
});
