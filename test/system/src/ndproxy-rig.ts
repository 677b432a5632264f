import { seconds } from '@pp/base';
import { pings, program, until, type Child, type Guest, type Place, type StandardLab } from '@pp/lab';
import { ipv6ToBytes, parseIpv6 } from '@pp/wire';

/* What the tests of ndproxy share: a host that runs it, and guests behind that host. */

export const STATE = '/run/lab/ndproxy';

/** What `ndproxy status --json` says, as far as tests look at it. */
export interface Status {
  readonly groups: readonly Readonly<Record<string, number>>[];
  readonly members: readonly { readonly ifname: string; readonly state: string }[];
  readonly neighbors: readonly { readonly address: string; readonly ifname: string }[];
  readonly detours: readonly { readonly mac: string; readonly times: number }[];
  readonly drops: readonly { readonly reason: string; readonly count: number }[];
  readonly warnings: readonly string[];
  readonly guard: string;
}

export interface ProxyOptions {
  /** Several on one host need one each. */
  readonly state?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts ndproxy and waits until it serves. */
export async function startProxy(
  place: Place,
  args: readonly string[],
  { state = STATE, env = {} }: ProxyOptions = {},
): Promise<Child> {
  const proxy = place.spawn(program('ndproxy'), [...args, '--state-dir', state], { env });
  await proxy.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
  return proxy;
}

export const status = async (place: Place): Promise<Status> =>
  JSON.parse(await place.ok(program('ndproxy'), ['status', '--json', '--state-dir', STATE])) as Status;

/** Makes it a host that forwards IPv6, as the manager would have set it. */
export const forward = (place: Place): Promise<string> =>
  place.shell('cd /proc/sys/net/ipv6/conf; echo 2 > eth0/accept_ra; echo 1 > all/forwarding');

/** A guest behind a veth of the host; its own end, eth0, is down until `up`. */
export async function guestBehind(lab: StandardLab, name: string, ifname: string): Promise<Guest> {
  const guest = await lab.guest(name);
  await lab.host.shell(
    `ip link add ${ifname} type veth peer name eth0 netns ${guest.pid}; ip link set ${ifname} up`,
  );
  await guest.shell(
    'for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/router_solicitation_delay; done',
  );
  return guest;
}

export const up = (guest: Place): Promise<string> => guest.shell('ip link set eth0 up');

/** Waits until `address` answers. */
export const answers = (from: Place, address: string): Promise<unknown> =>
  until(`${from.name} pings ${address}`, () => pings(from, address), { deadline: seconds(20) });

export function bytesOf(text: string): Uint8Array {
  const address = parseIpv6(text);
  if (address === null) throw new Error(`'${text}' is no IPv6 address`);
  return ipv6ToBytes(address);
}

/** What passes an interface and `filter`, in lines of tcpdump, from now on. */
export async function sniff(place: Place, ifname: string, filter: string): Promise<Child> {
  const dump = place.spawn('tcpdump', ['-l', '--immediate-mode', '-nn', '-e', '-v', '-i', ifname, filter]);
  await dump.line('sign of listening', (line) => (line.includes('listening on') ? true : undefined));
  return dump;
}
