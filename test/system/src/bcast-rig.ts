import { passesFrames, program, until, type Child, type Guest, type Place, type StandardLab } from '@pp/lab';

export const STATE = '/run/lab/bcast-fwd';

/** What `bcast-fwd status --json` says, as far as tests look at it. */
export interface RelayStatus {
  readonly follows: string;
  readonly received: number;
  readonly forwarded: number;
  readonly dropped: number;
  readonly waiting: number;
  readonly replies: number;
  readonly sessions: number;
  readonly interfaces: readonly {
    readonly ifname: string;
    readonly state: string;
    readonly addresses?: readonly string[];
  }[];
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly count: number }[];
  readonly drops: readonly { readonly reason: string; readonly count: number }[];
}

export async function startRelay(
  place: Place,
  args: readonly string[],
  {
    state = STATE,
    env = {},
  }: { readonly state?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Child> {
  const relay = place.spawn(program('bcast-fwd'), [...args, '--state-dir', state], { env });
  await relay.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
  await serves(place, state);
  return relay;
}

/** Waits until each interface that is there is relayed; status names those that are awaited, too. */
export async function serves(place: Place, state = STATE): Promise<void> {
  await until('the relay to serve', async () =>
    (await relayStatus(place, state)).interfaces.every((each) => ['relayed', 'absent'].includes(each.state)),
  );
}

export async function relayStatus(place: Place, state = STATE): Promise<RelayStatus> {
  const text = await place.ok(program('bcast-fwd'), ['status', '--json', '--state-dir', state]);
  const status = JSON.parse(text) as RelayStatus;
  expect(status.received).toBe(status.forwarded + status.dropped + status.waiting);
  return status;
}

/** A guest behind a veth of the host, with a subnet of 30 bits as the manager would give it: 100.115.92.`base` and the next. */
export async function guestBehind(
  { host, ...lab }: StandardLab,
  name: string,
  ifname: string,
  base: number,
): Promise<Guest> {
  const guest = await lab.guest(name);
  await host.shell(`
    ip link add ${ifname} type veth peer name eth0 netns ${guest.pid}
    ip addr add 100.115.92.${base}/30 dev ${ifname}
    echo 1 > /proc/sys/net/ipv6/conf/${ifname}/disable_ipv6
    ip link set ${ifname} up`);
  await guest.shell(`
    ip addr add 100.115.92.${base + 1}/30 dev eth0
    ip link set eth0 up
    ip route add default via 100.115.92.${base}`);
  await passesFrames(host, ifname);
  return guest;
}

/** Answers each datagram to port 7777 with "pong". It reads first what it is asked: else its end may reset the pair of sockets with the answer in it. */
export const startPong = (place: Place): Child =>
  place.spawn('socat', ['-t', '10', 'UDP4-RECVFROM:7777,fork', 'SYSTEM:cat > /dev/null; echo pong']);

/** Whether a broadcast to `startPong` is answered. */
export const isAnswered = async (place: Place): Promise<boolean> =>
  (await broadcast(place, { text: 'ping', port: 7777, sourcePort: 40_000, patience: 3 })).includes('pong');

export interface Broadcast {
  readonly text: string;
  readonly to?: string;
  readonly port?: number;
  readonly sourcePort?: number;
  readonly device?: string;
  /** Seconds; default: half a one. */
  readonly patience?: number;
}

/** Sends one broadcast; what answers come in that time, with no longer pause, are returned. */
export function broadcast(
  place: Place,
  {
    text,
    to = '255.255.255.255',
    port = 6969,
    sourcePort = 5000,
    device = 'eth0',
    patience = 0.5,
  }: Broadcast,
): Promise<string> {
  const options = `broadcast,so-bindtodevice=${device},bind=0.0.0.0:${sourcePort},reuseaddr`;
  return place.ok(
    'socat',
    ['-b65507', `-T${patience}`, `-t${patience}`, '-', `UDP4-DATAGRAM:${to}:${port},${options}`],
    {
      input: text,
    },
  );
}

/** What arrives at a place, with the headers as tcpdump shows them. */
export class Ear {
  private constructor(readonly dump: Child) {}

  static async at(place: Place, ifname = 'eth0', filter = 'udp port 6969'): Promise<Ear> {
    const args = ['-l', '--immediate-mode', '-nn', '-vv', '-A', '-Q', 'in', '-i', ifname, filter];
    const dump = place.spawn('tcpdump', args);
    await dump.line('sign of listening', (line) => (line.includes('listening on') ? true : undefined));
    return new Ear(dump);
  }

  /** Packets whose text has `text` in it, as "SOURCE > DESTINATION: [udp sum ok]". */
  packets(text: string): readonly string[] {
    const packets = this.dump.stdout.split(/^(?=\d\d:\d\d:\d\d\.)/m);
    return packets.filter((packet) => packet.includes(text)).map((packet) => headOf(packet));
  }

  /** The first packet with the text. */
  hears(text: string): Promise<string> {
    return until(`"${text}" to be heard`, () => this.packets(text)[0]);
  }
}

const headOf = (packet: string): string =>
  /^ +(\S+ > \S+): (\[[^\]]+\])?/m.exec(packet)?.slice(1).join(' ').trim() ?? packet;
