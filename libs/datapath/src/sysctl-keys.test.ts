import { ifnameOfSysctl, linkSysctl } from './sysctl-keys';

test('a key and its interface', () => {
  const key = linkSysctl('ipv6', 'eth0.100', 'accept_ra');
  expect([key, ifnameOfSysctl(key)]).toEqual(['net.ipv6.conf.eth0/100.accept_ra', 'eth0.100']);
});

test.each(['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding', 'net.ipv4.conf.default.rp_filter'])(
  '%s is no interface of its own',
  (key) => {
    expect(ifnameOfSysctl(key)).toBeNull();
  },
);
