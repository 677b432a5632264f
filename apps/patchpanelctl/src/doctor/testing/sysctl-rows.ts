import type { Finding } from '../finding';
import { problem, withSysctl } from './changes';
import type { FaultRow } from './fault-row';

const sysctlSet = (key: string, is: string, means: string, shall: string): Finding =>
  problem(
    'sysctls',
    `somebody set ${key} to ${is}: ${means}`,
    `write sysctl -w ${key}='${shall}', and look for what changes it in /etc/sysctl.d`,
  );

const sysctlRow = (name: string, key: string, value: string, was: string, want: Finding): FaultRow => ({
  name,
  change: withSysctl(key, value),
  want: [want],
  lab: { comes: `sysctl -qw ${key}=${value}`, goes: `sysctl -qw ${key}=${was}` },
});

/** Sysctls that somebody changed after the manager. */
export const SYSCTL_ROWS: readonly FaultRow[] = [
  sysctlRow(
    'somebody turns IPv4 forwarding off',
    'net.ipv4.ip_forward',
    '0',
    '1',
    sysctlSet('net.ipv4.ip_forward', '0', 'no IPv4 of guests is forwarded', '1'),
  ),
  sysctlRow('reverse paths are checked strictly', 'net.ipv4.conf.eth0.rp_filter', '1', '0', {
    ...sysctlSet(
      'net.ipv4.conf.eth0.rp_filter',
      '1',
      'answers to guests that come in by this uplink may be dropped',
      '2',
    ),
    level: 'warning',
  }),
  sysctlRow(
    'an uplink would ignore router advertisements',
    'net.ipv6.conf.eth0.accept_ra',
    '1',
    '2',
    sysctlSet(
      'net.ipv6.conf.eth0.accept_ra',
      '1',
      'while it forwards, the host ignores router advertisements and loses its IPv6',
      '2',
    ),
  ),
  {
    name: 'somebody turns IPv6 forwarding off',
    change: withSysctl('net.ipv6.conf.all.forwarding', '0'),
    want: [sysctlSet('net.ipv6.conf.all.forwarding', '0', 'no IPv6 of guests is forwarded', '1')],
  },
];
