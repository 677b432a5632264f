import { KernelError } from '@pp/base';
import { describeOnKernel, until } from '@pp/netlink/testing';
import { LinuxGuestIpv6 } from './linux-guest-ipv6';
import { TestHost } from './testing';

describeOnKernel('IPv6 of a guest', (native) => {
  let host: TestHost;
  let ipv6: LinuxGuestIpv6;

  beforeEach(() => {
    host = new TestHost(native);
    const fd = native.createNetns();
    native.nameNetns(fd, `${host.netnsDirectory}/guest`);
    native.closeFd(fd);
    host.ip('link add veth0 type veth peer name other', 'guest');
    for (const ifname of ['veth0', 'other']) host.ip(`link set ${ifname} up`, 'guest');
    for (const [ifname, n] of [
      ['veth0', 1],
      ['other', 2],
    ] as const)
      host.ip(`address add 2001:db8::${n}/64 dev ${ifname} nodad`, 'guest');
    ipv6 = new LinuxGuestIpv6(native, host.netnsDirectory);
  });

  afterEach(() => {
    host.close();
  });

  const globalsOf = (ifname: string): readonly string[] =>
    [...host.ip(`-6 address show dev ${ifname} scope global`, 'guest').matchAll(/inet6 (\S+)/g)].map(
      ([, cidr = '']) => cidr,
    );
  const isOff = (): string => host.run('cat', ['/proc/sys/net/ipv6/conf/veth0/disable_ipv6'], 'guest').trim();

  test('its addresses go, and IPv6 is on again; other links are left alone', async () => {
    ipv6.restart('guest', 'veth0');
    expect([globalsOf('veth0'), isOff(), globalsOf('other')]).toEqual([[], '0', ['2001:db8::2/64']]);
    const configuresItself = (): boolean =>
      host.ip('-6 address show dev veth0', 'guest').includes('inet6 fe80::');
    await until('it configures itself, when its carrier is known', configuresItself);
  });

  test('a link whose IPv6 the client has switched off stays so', () => {
    host.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/veth0/disable_ipv6'], 'guest');
    ipv6.restart('guest', 'veth0');
    expect(isOff()).toBe('1');
  });

  test.each([
    { name: 'namespace', netns: 'gone', ifname: 'veth0' },
    { name: 'link', netns: 'guest', ifname: 'veth9' },
  ])('a $name that is gone', ({ netns, ifname }) => {
    const restart = (): void => {
      ipv6.restart(netns, ifname);
    };
    expect(restart).toThrow(KernelError);
    expect(restart).toThrow(/ENOENT/);
  });
});
