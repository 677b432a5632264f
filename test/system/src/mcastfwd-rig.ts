import { seconds } from '@pp/base';
import { spawnSync } from 'node:child_process';
import type { Avahi } from '@pp/lab';
import {
  labMissing,
  passesFrames,
  program,
  standardLab,
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

export const STATE = '/run/lab/mcastfwd';
const PATIENCE = { deadline: seconds(40) };

const commandMissing = (command: string): string | undefined =>
  spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin"; command -v ${command}`]).status === 0 ? undefined : command;

/** What is missing for a test that needs the lab and these commands; undefined: nothing. */
export const missingFor = (...commands: readonly string[]): string | undefined =>
  labMissing() ?? commands.map(commandMissing).find((missing) => missing !== undefined);

export const AVAHI_MISSING = missingFor('avahi-daemon', 'avahi-browse');

export interface Status {
  readonly received: number;
  readonly forwarded: number;
  readonly dropped: number;
  readonly sessions: number;
  readonly members: readonly { readonly role: string; readonly groups?: readonly string[] }[];
  readonly drops: readonly { readonly reason: string; readonly count: number }[];
  readonly groups: readonly {
    readonly group: string;
    readonly received: number;
    readonly forwarded: number;
  }[];
}

/** A host with two guests behind NAT, and a neighbour on its LAN. */
export class McastRig {
  private constructor(
    readonly lab: StandardLab,
    readonly g1: Guest,
    readonly g2: Guest,
  ) {}

  static async open(): Promise<McastRig> {
    const lab = await standardLab();
    try {
      return new McastRig(lab, await guestBehind(lab, 1), await guestBehind(lab, 2));
    } catch (fault) {
      await lab.close();
      throw fault;
    }
  }

  get host(): Host {
    return this.lab.host;
  }

  forward(...args: readonly string[]): Promise<Child> {
    return startForwarder(this.host, ['eth0', 'vg*', ...args]);
  }

  async status(): Promise<Status> {
    return statusOf(this.host);
  }

  command(...words: readonly string[]): Promise<string> {
    return this.host.ok(program('mcastfwd'), [...words, '--state-dir', STATE]);
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

/** Opens a rig before each test of the file, and closes it after, if nothing is `missing`. */
export function rigForEach(missing: string | undefined, prepare: (rig: McastRig) => unknown): void {
  if (missing !== undefined) return;
  let rig: McastRig | undefined;
  beforeEach(async () => {
    rig = await McastRig.open();
    await prepare(rig);
  }, 60_000);
  afterEach(() => rig?.close(), 60_000);
}

/** A guest with addresses of both families behind a veth of the host, which masquerades it. */
async function guestBehind(lab: StandardLab, number: number): Promise<Guest> {
  const guest = await lab.guest(`g${number}`);
  const [ifname, net] = [`vg${number}`, `100.64.${number}`];
  await lab.host.shell(`
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
  await passesFrames(lab.host, ifname);
  return guest;
}

export async function startForwarder(place: Place, args: readonly string[]): Promise<Child> {
  const forwarder = place.spawn(program('mcastfwd'), [...args, '--state-dir', STATE]);
  await forwarder.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
  await until('it takes part on every interface that is there', async () =>
    (await statusOf(place)).members.every(({ role, groups = [] }) => role === 'absent' || groups.length > 0),
  );
  return forwarder;
}

async function statusOf(place: Place): Promise<Status> {
  const text = await place.ok(program('mcastfwd'), ['status', '--json', '--state-dir', STATE]);
  return JSON.parse(text) as Status;
}

/** Name and address of each service of a type, sorted. */
export async function found(avahi: Avahi, type: string): Promise<readonly string[]> {
  const services = await avahi.browse(type);
  return [...new Set(services.map(({ name, address, port }) => `${name} ${address}:${port}`))].sort();
}

export const finds = (avahi: Avahi, type: string, want: string): Promise<unknown> =>
  until(`${avahi.place.name} finds ${want}`, async () => (await found(avahi, type)).includes(want), PATIENCE);

/** Packets to the mDNS group that an interface sees from now on. */
export async function watchGroup(
  place: Place,
  ifname: string,
): Promise<{ count(): number; stop(): Promise<void> }> {
  const dump = place.spawn('tcpdump', ['-l', '-nn', '-i', ifname, 'udp port 5353']);
  await dump.line('sign of listening', (line) => (line.includes('listening on') ? true : undefined));
  return {
    count: () => dump.stdout.split('\n').length - 1,
    stop: async () => {
      await dump.stop();
    },
  };
}
