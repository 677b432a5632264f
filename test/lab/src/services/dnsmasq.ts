import { SHARED_INSIDE, type Host } from '../host';

export interface DnsmasqOptions {
  readonly ifname: string;
  /** First and last address to lease. */
  readonly range: readonly [string, string];
  readonly names: Readonly<Record<string, string>>;
}

/** DHCP with leases from `range`, and DNS for `names` and nothing else. */
export async function startDnsmasq(router: Host, { ifname, range, names }: DnsmasqOptions): Promise<void> {
  const lab = [
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--pid-file=',
    '--log-facility=-',
    '--keep-in-foreground',
  ];
  const rootless = ['--user=root', '--group=']; // with one uid in the user namespace setgroups is refused
  const dhcp = [
    `--dhcp-range=${range.join(',')},1h`,
    `--dhcp-leasefile=${SHARED_INSIDE}/leases`,
    '--dhcp-authoritative',
    '--no-ping',
  ];
  const dns = Object.entries(names).map(([name, address]) => `--host-record=${name},${address}`);
  const dnsmasq = router.spawn('dnsmasq', [
    ...lab,
    ...rootless,
    `--interface=${ifname}`,
    '--bind-interfaces',
    ...dhcp,
    ...dns,
  ]);
  await dnsmasq.line('sign of having started', (line) =>
    line.includes('started, version') ? true : undefined,
  );
}
