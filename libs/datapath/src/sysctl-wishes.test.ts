import { desiredSysctls, hostForwarding, sysctlWishes } from './sysctl-wishes';

const uplink = (ifname: string, mtu?: number) => ({ ifname, ...(mtu === undefined ? {} : { mtu }) });

/** A kernel's values before us, of the keys that it has. */
const modern = {
  'net.ipv4.ip_forward': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv6.conf.all.forwarding': '0',
  'net.ipv6.conf.default.force_forwarding': '0',
  'net.ipv6.conf.eth0.accept_ra': '1',
  'net.ipv6.conf.eth0.force_forwarding': '0',
  'net.ipv4.conf.eth0.rp_filter': '0',
};
const without = (key: string): Record<string, string> =>
  Object.fromEntries(Object.entries(modern).filter(([other]) => !other.endsWith(key)));

const rows: readonly {
  name: string;
  uplinks: string[];
  mtu?: number;
  found: Record<string, string>;
  want: Record<string, string>;
}[] = [
  {
    name: 'without an uplink only the IPv4 globals',
    uplinks: [],
    found: modern,
    want: { 'net.ipv4.ip_local_port_range': '32768\t47103', 'net.ipv4.ip_forward': '1' },
  },
  {
    name: 'force_forwarding spares the global IPv6 switch',
    uplinks: ['eth0'],
    found: modern,
    want: {
      'net.ipv6.conf.eth0.accept_ra': '2',
      'net.ipv6.conf.eth0.force_forwarding': '1',
      'net.ipv4.ip_local_port_range': '32768\t47103',
      'net.ipv4.ip_forward': '1',
    },
  },
  {
    name: 'an older kernel forwards globally, after accept_ra',
    uplinks: ['eth0'],
    found: without('force_forwarding'),
    want: {
      'net.ipv6.conf.eth0.accept_ra': '2',
      'net.ipv4.ip_local_port_range': '32768\t47103',
      'net.ipv4.ip_forward': '1',
      'net.ipv6.conf.all.forwarding': '1',
    },
  },
  {
    name: 'below its least MTU an uplink has no IPv6, and no keys for it',
    uplinks: ['eth0'],
    mtu: 1279,
    found: modern,
    want: { 'net.ipv4.ip_local_port_range': '32768\t47103', 'net.ipv4.ip_forward': '1' },
  },
  {
    name: 'accept_ra 0 stays; values that are right are not written',
    uplinks: ['eth0'],
    found: { ...modern, 'net.ipv6.conf.eth0.accept_ra': '0', 'net.ipv4.ip_forward': '1' },
    want: { 'net.ipv6.conf.eth0.force_forwarding': '1', 'net.ipv4.ip_local_port_range': '32768\t47103' },
  },
  {
    name: 'strict reverse path filtering becomes loose on the uplink, also when only `all` is strict',
    uplinks: ['eth0'],
    found: { 'net.ipv4.conf.all.rp_filter': '1', 'net.ipv4.conf.eth0.rp_filter': '0' },
    want: { 'net.ipv4.conf.eth0.rp_filter': '2' },
  },
  {
    name: 'a host without IPv6 has no such keys',
    uplinks: ['eth0'],
    found: { 'net.ipv4.ip_forward': '0' },
    want: { 'net.ipv4.ip_forward': '1' },
  },
];

test.each(rows)('$name', ({ uplinks, mtu, found, want }) => {
  const world = {
    uplinks: uplinks.map((ifname) => uplink(ifname, mtu)),
    originals: new Map<string, string | null>(Object.entries(found)),
  };
  expect([...desiredSysctls(world)]).toEqual(Object.entries(want)); // also in this order
});

test('a dot in an interface name is a slash in its keys', () => {
  expect(sysctlWishes({ uplinks: [uplink('eth0.5')] })[0]?.key).toBe('net.ipv6.conf.eth0/5.accept_ra');
});

test.each([
  { name: 'which forwards IPv6 by interface', found: modern, want: ['net.ipv4.ip_forward'] },
  {
    name: 'which forwards IPv6 globally',
    found: without('force_forwarding'),
    want: ['net.ipv6.conf.eth0.accept_ra', 'net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'],
  },
])('what makes a host forward, $name', ({ found, want }) => {
  const set = desiredSysctls({ uplinks: [uplink('eth0')], originals: new Map(Object.entries(found)) });
  expect([...hostForwarding(set).keys()]).toEqual(want);
});
