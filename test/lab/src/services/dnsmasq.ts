import type { Child } from '../child';
import { SHARED_INSIDE, type Host } from '../host';
import type { Place } from '../place';

export interface DnsmasqOptions {
  readonly ifname: string;
  /** First and last address to lease. */
  readonly range: readonly [string, string];
  readonly names: Readonly<Record<string, string>>;
}

const LAB = [
  '--conf-file=/dev/null',
  '--no-resolv',
  '--no-hosts',
  '--pid-file=',
  '--log-facility=-',
  '--keep-in-foreground',
  ...['--user=root', '--group='], // with one uid in the user namespace setgroups is refused
];

/** DHCP with leases from `range`, and DNS for `names` and nothing else. */
export async function startDnsmasq(router: Host, { ifname, range, names }: DnsmasqOptions): Promise<void> {
  const dhcp = [
    `--dhcp-range=${range.join(',')},1h`,
    `--dhcp-leasefile=${SHARED_INSIDE}/leases`,
    '--dhcp-authoritative',
    '--no-ping',
  ];
  await start(router, [`--interface=${ifname}`, '--bind-interfaces', ...dhcp, ...records(names)]);
}

/** DNS for `names` and nothing else, on the addresses that a place has now. */
export const startNameServer = (place: Place, names: DnsmasqOptions['names']): Promise<Child> =>
  start(place, ['--bind-interfaces', ...records(names)]);

const records = (names: DnsmasqOptions['names']): readonly string[] =>
  Object.entries(names).map(([name, address]) => `--host-record=${name},${address}`);

async function start(place: Place, args: readonly string[]): Promise<Child> {
  const dnsmasq = place.spawn('dnsmasq', [...LAB, ...args]);
  await dnsmasq.line('sign of having started', (line) =>
    line.includes('started, version') ? true : undefined,
  );
  return dnsmasq;
}
