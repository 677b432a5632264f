import { SysctlFiles, sysctlPath } from './sysctl-files';

const paths = [
  { in: 'net.ipv4.ip_forward', want: '/proc/sys/net/ipv4/ip_forward' },
  { in: 'net.ipv4.conf.eth0/100.rp_filter', want: '/proc/sys/net/ipv4/conf/eth0.100/rp_filter' },
  { in: 'net.ipv6.conf.wg@home.accept_ra', want: '/proc/sys/net/ipv6/conf/wg@home/accept_ra' },
  { in: 'net.//.//.etc', want: null },
  { in: 'net./.etc', want: null },
  { in: 'net..ipv4', want: null },
  { in: '', want: null },
];

test.each(paths)('the file of %j', ({ in: key, want }) => {
  expect(sysctlPath(key)).toBe(want);
});

const files = new SysctlFiles((inside) => inside());

test('a value is read without its line end', () => {
  expect(files.read('kernel.ostype')).toBe('Linux');
});

test.each(['kernel.nope', 'net.//.//.etc', 'kernel'])('%s cannot be read', (key) => {
  expect(files.read(key)).toBeNull();
});

test('several values are the same whatever is between them', () => {
  const [low, high] = (files.read('net.ipv4.ip_local_port_range') ?? '').split('\t');
  expect(files.holds('net.ipv4.ip_local_port_range', ` ${low}   ${high}\n`)).toBe(true);
  expect(files.holds('net.ipv4.ip_local_port_range', `${low} 1`)).toBe(false);
  expect(files.holds('kernel.nope', '1')).toBe(false);
});

test.each([
  { name: 'that is not there', in: 'net.ipv4.nope', want: 'sysctl.set net.ipv4.nope = 1: ENOENT' },
  { name: 'that cannot be one', in: 'net.//.x', want: 'sysctl.set net.//.x: ENOENT (not a sysctl key)' },
])('a key $name cannot be written', ({ in: key, want }) => {
  expect(() => {
    files.write(key, '1');
  }).toThrow(want);
});
