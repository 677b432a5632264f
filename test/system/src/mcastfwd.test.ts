import { seconds } from '@pp/base';
import { spawnSync } from 'node:child_process';
import {
  Avahi,
  labMissing,
  labTest,
  program,
  standardLab,
  STANDARD,
  until,
  type Child,
  type Guest,
  type Host,
  type Place,
  type StandardLab,
} from '@pp/lab';

/*
 * lan: lanhost, host eth0 192.168.77.2 -- mcastfwd -- vg1: g1 100.64.1.2, vg2: g2 100.64.2.2, behind NAT
 */

const STATE = '/run/lab/mcastfwd';
const PATIENCE = { deadline: seconds(40) };

const commandMissing = (command: string): string | undefined =>
  spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin"; command -v ${command}`]).status === 0 ? undefined : command;
const MISSING = labMissing() ?? commandMissing('avahi-daemon') ?? commandMissing('avahi-browse');

let lab: StandardLab;
let [g1, g2]: (Guest | undefined)[] = [];

const guestOf = (guest: Guest | undefined): Guest => {
  if (guest === undefined) throw new Error('no guest');
  return guest;
};

/** A guest with addresses of both families behind a veth of `host`, which masquerades it. */
async function guestBehind(host: Host, number: number): Promise<Guest> {
  const guest = await lab.guest(`g${number}`);
  const [ifname, net] = [`vg${number}`, `100.64.${number}`];
  await host.shell(`
    ip link add ${ifname} type veth peer name eth0 netns ${guest.pid}
    ip addr add ${net}.1/24 dev ${ifname}
    ip addr add fd00:${number}::1/64 dev ${ifname} nodad
    ip link set ${ifname} up
    echo 1 > /proc/sys/net/ipv4/ip_forward
    nft add table ip nat${number}
    nft add chain ip nat${number} post '{ type nat hook postrouting priority 100; }'
    nft add rule ip nat${number} post ip saddr ${net}.0/24 oifname eth0 masquerade`);
  await guest.shell(`
    echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
    echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad
    ip addr add ${net}.2/24 dev eth0
    ip addr add fd00:${number}::2/64 dev eth0 nodad
    ip link set eth0 up
    ip route add default via ${net}.1`);
  return guest;
}

async function startForwarder(place: Place, args: readonly string[], state = STATE): Promise<Child> {
  const forwarder = place.spawn(program('mcastfwd'), [...args, '--state-dir', state]);
  await forwarder.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
  return forwarder;
}

interface Status {
  readonly received: number;
  readonly forwarded: number;
  readonly dropped: number;
  readonly sessions: number;
  readonly drops: readonly { readonly reason: string; readonly count: number }[];
  readonly members: readonly { readonly ifname: string; readonly groups?: readonly string[] }[];
}

const statusOf = async (place: Place, state = STATE): Promise<Status> =>
  JSON.parse(await place.ok(program('mcastfwd'), ['status', '--json', '--state-dir', state])) as Status;

/** Name and address of each service of a type, sorted. */
async function found(avahi: Avahi, type: string): Promise<readonly string[]> {
  const services = await avahi.browse(type);
  return [...new Set(services.map(({ name, address, port }) => `${name} ${address}:${port}`))].sort();
}

const finds = (avahi: Avahi, type: string, want: string): Promise<unknown> =>
  until(`${avahi.place.name} finds ${want}`, async () => (await found(avahi, type)).includes(want), PATIENCE);

if (MISSING === undefined) {
  beforeEach(async () => {
    lab = await standardLab();
    [g1, g2] = [await guestBehind(lab.host, 1), await guestBehind(lab.host, 2)];
  }, 60_000);
  afterEach(async () => {
    await lab.close();
  }, 60_000);
}

labTest(
  'services are found from guests and guests’ services from the LAN, by name and by both families',
  async () => {
    const [onLan, inGuest, inOther] = await Promise.all([
      Avahi.start(lab.lanhost, { hostName: 'lanbox' }),
      Avahi.start(guestOf(g1), { hostName: 'guestbox' }),
      Avahi.start(guestOf(g2), { hostName: 'otherbox' }),
    ]);
    await startForwarder(lab.host, ['eth0', 'vg*']);
    await Promise.all([
      onLan.publish('Lan Printer', '_ipp._tcp', 631),
      inGuest.publish('Guest Web', '_http._tcp', 80),
    ]);
    await finds(inGuest, '_ipp._tcp', `Lan Printer ${STANDARD.lanhost.v4}:631`);
    await finds(inGuest, '_ipp._tcp', `Lan Printer ${STANDARD.lanhost.v6}:631`);
    // Behind NAT the host's address stands for the guest; between guests its own does.
    await finds(onLan, '_http._tcp', `Guest Web ${STANDARD.host.v4}:80`);
    await finds(inOther, '_http._tcp', 'Guest Web 100.64.1.2:80');
    await finds(onLan, '_http._tcp', 'Guest Web fd00:1::2:80');
    expect(await inGuest.resolve('lanbox.local', '-4')).toBe(STANDARD.lanhost.v4);
    expect(await onLan.resolve('guestbox.local', '-4')).toBe(STANDARD.host.v4);
    const names = await Promise.all([onLan, inGuest, inOther].map((avahi) => avahi.hostName()));
    expect(names).toEqual(['lanbox', 'guestbox', 'otherbox']);
    const { received, forwarded, dropped } = await statusOf(lab.host);
    expect(received).toBe(forwarded + dropped);
    expect(forwarded).toBeGreaterThan(10);
  },
  MISSING,
  seconds(120),
);
