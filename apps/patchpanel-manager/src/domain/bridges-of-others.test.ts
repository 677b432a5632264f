import type { LinkView } from '@pp/ports';
import { linkView } from '@pp/ports/testing';
import { bridgesOfOthers } from './bridges-of-others';

const link = (ifname: string, more: Partial<LinkView> = {}): LinkView =>
  linkView(7, ifname, { kind: 'bridge', ...more });

const rows: readonly { name: string; link: LinkView; cidr: string; want: readonly string[] }[] = [
  { name: "Docker's", link: link('docker0'), cidr: '172.17.0.1/16', want: ['docker0'] },
  {
    name: 'with nobody behind it yet',
    link: link('virbr0', { running: false }),
    cidr: '192.168.122.1/24',
    want: ['virbr0'],
  },
  { name: 'that is down', link: link('docker0', { up: false }), cidr: '172.17.0.1/16', want: [] },
  { name: 'without an address', link: link('br0'), cidr: 'fe80::1/64', want: [] },
  { name: 'that is an uplink', link: link('br-lan'), cidr: '192.168.1.2/24', want: [] },
  { name: 'that is none', link: link('wg0', { kind: 'wireguard' }), cidr: '10.9.0.2/24', want: [] },
  { name: 'of Android', link: link('arcbr0'), cidr: '100.115.92.1/30', want: [] },
];

test.each(rows)('a bridge $name', ({ link: given, cidr, want }) => {
  const view = { links: [given], addresses: [{ ifindex: 7, cidr }] };
  expect(bridgesOfOthers(view, [{ ifname: 'br-lan' }]).map(({ ifname }) => ifname)).toEqual(want);
});
