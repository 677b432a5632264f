import { KernelError, type Errno } from '@pp/base';
import type { Finding } from '../finding';
import { onHost, problem, warning, withSysctl } from './changes';
import type { FaultRow } from './fault-row';

const refused = (code: Errno): KernelError => new KernelError(code, 'nft -j list ruleset');

const NO_TUN = (fault: string, advice: string): Finding =>
  problem('tun', `/dev/net/tun ${fault}: VMs get no TAP`, advice);

const withoutIpv6Keys: FaultRow['change'] = onHost(({ sysctls }) => ({
  sysctls: Object.fromEntries(Object.entries(sysctls).filter(([key]) => !key.startsWith('net.ipv6.'))),
}));

const IPV6_IS_OFF =
  'IPv6 is switched off on this host, and guests have IPv4 alone; if that is not meant, write sysctl -w net.ipv6.conf.all.disable_ipv6=0';

/** What the kernel and the user lack. */
export const HOST_ROWS: readonly FaultRow[] = [
  {
    name: 'no /dev/net/tun',
    change: onHost(() => ({ devices: {} })),
    want: [NO_TUN('is not there', 'load the module: modprobe tun; in a container, give it the device')],
    lab: { comes: 'mount -t tmpfs tmpfs /dev/net', goes: 'umount /dev/net' },
  },
  {
    name: '/dev/net/tun is not for us',
    change: onHost(() => ({ devices: { '/dev/net/tun': 'EPERM' } })),
    want: [NO_TUN('does not open (EPERM)', 'run this as root; in a container, allow it the device 10:200')],
  },
  {
    name: 'a kernel without veth',
    change: onHost(() => ({ datapathFault: 'link.add eth0 type veth: EOPNOTSUPP' })),
    want: [
      problem(
        'kernel',
        'it refuses what guests need: link.add eth0 type veth: EOPNOTSUPP',
        'use a kernel with veth, tun, nftables (nat, ct, fib) and policy routing, and load its modules',
      ),
    ],
  },
  {
    name: 'a kernel without IPv6',
    change: withoutIpv6Keys,
    want: [
      warning(
        'ipv6',
        'the kernel of this host runs without IPv6, and guests have IPv4 alone',
        'if that is not meant, boot it without ipv6.disable=1',
      ),
    ],
    lab: { comes: 'mount -t tmpfs tmpfs /proc/sys/net/ipv6', goes: 'umount /proc/sys/net/ipv6' },
  },
  {
    name: 'IPv6 is switched off, the manager says so too, and systemd has skipped ndproxy',
    change: (setting) => ({
      ...withSysctl('net.ipv6.conf.all.disable_ipv6', '1')(setting),
      manager: { ...setting.manager, helpers: [], warnings: [IPV6_IS_OFF] },
      silent: ['ndproxy'],
    }),
    want: [
      warning(
        'ipv6',
        'IPv6 is switched off on this host, and guests have IPv4 alone',
        'if that is not meant, write sysctl -w net.ipv6.conf.all.disable_ipv6=0',
      ),
    ],
  },
  {
    name: 'no nft',
    change: onHost(() => ({
      datapathFault: 'nft.load table inet patchpanel: ENOENT (spawn nft ENOENT)',
      ruleset: refused('ENOENT'),
    })),
    want: [
      problem(
        'kernel',
        'it refuses what guests need: nft.load table inet patchpanel: ENOENT (spawn nft ENOENT)',
        'install nft: apt-get install nftables',
      ),
      warning('firewall', 'cannot be looked at: nft -j list ruleset: ENOENT', 'mend what is said above'),
    ],
  },
  {
    name: 'an ordinary user asks',
    change: onHost(({ files }) => ({
      files: { ...files, '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000000\n' },
      ruleset: refused('EPERM'),
      devices: { '/dev/net/tun': 'EACCES' },
    })),
    want: [
      warning(
        'privileges',
        'this program lacks CAP_NET_ADMIN, CAP_SYS_ADMIN, so not all is seen',
        'run this as root',
      ),
      warning('tun', 'cannot be looked at: /dev/net/tun is not for this user', 'run this as root'),
      warning('kernel', 'cannot be looked at: it takes CAP_NET_ADMIN and CAP_SYS_ADMIN', 'run this as root'),
      warning('firewall', 'cannot be looked at: nft -j list ruleset: EPERM', 'run this as root'),
    ],
  },
];
