import { MemoryLog, VirtualClock } from '@pp/base/testing';
import type { InterfaceAddress, InterfaceView } from '@pp/ports';
import { FakePacketPorts, FakeReplySockets, PacketLan, ScriptedInterfaces } from '@pp/ports/testing';
import {
  decodeEthernet,
  decodeIpv4,
  decodeUdp4,
  ipv4FromNumber,
  ipv4ToNumber,
  macFromBytes,
  parseIpv4,
  udp4Frames,
  type Ipv4Packet,
  type Udp4Datagram,
} from '@pp/wire';
import { hex, toHex } from '@pp/wire/testing';
import { LIMITS, type Limits } from '../core/limits';
import type { DesiredPair } from '../desired';
import { RelayService, type ServiceSettings, type Traced } from '../relay-service';
import { traceLine } from '../control/trace';

export const ip = (text: string): number => {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`no address: ${text}`);
  return ipv4ToNumber(address);
};

export const NAMES = { eth0: 1, tap0: 2, tap1: 3, wg0: 4 } as const;
export type Name = keyof typeof NAMES;
const WITHOUT_ETHERNET: readonly Name[] = ['wg0'];

/** `host`: where several are on one segment. */
const ourMac = (ifindex: number, host = 0): string => `02aa00000${host}0${ifindex}`;
/** Of the one station on a segment. */
export const stationMac = (ifindex: number): string => `0240000000${ifindex.toString().padStart(2, '0')}`;

export const view = (ifname: Name, over: Partial<InterfaceView> = {}, host = 0): InterfaceView => ({
  ifname,
  ifindex: NAMES[ifname],
  type: WITHOUT_ETHERNET.includes(ifname) ? 0xfffe : 1,
  kind: 'veth',
  running: true,
  mtu: 1500,
  mac: WITHOUT_ETHERNET.includes(ifname) ? '' : macFromBytes(hex(ourMac(NAMES[ifname], host))),
  ...over,
});

const address = (ifname: Name, cidr: string): InterfaceAddress => ({
  ifindex: NAMES[ifname],
  cidr,
  usable: true,
});

export const ADDRESSES: readonly InterfaceAddress[] = [
  address('eth0', '192.168.77.2/24'),
  address('tap0', '100.115.92.25/30'),
  address('tap1', '100.115.92.29/30'),
  address('wg0', '10.9.0.1/32'),
];

export const PAIRS: readonly DesiredPair[] = [{ lan: 'eth0', guest: 'tap*' }];

export const SETTINGS: ServiceSettings = {
  direction: 'two-way',
  targets: new Map(),
  policy: { ports: [{ first: 1024, last: 65_535 }], wakeOnLan: false, allow: [], block: [] },
  rate: 500,
  toLan: 'auto',
  toGuests: 'preserve',
  mark: null,
  limits: LIMITS,
};

/** What a test says of a datagram; the rest is as Linux sends it. */
export type Spoken = Partial<Omit<Udp4Datagram, 'source' | 'destination' | 'payload'>> & {
  readonly from: string;
  readonly to?: string;
  readonly payload?: string | Uint8Array;
  readonly mtu?: number;
};

export function datagramOf({
  from,
  to = '255.255.255.255',
  payload = 'hello',
  ...over
}: Spoken): Udp4Datagram {
  return {
    tos: 0,
    id: 7,
    dontFragment: true,
    ttl: 64,
    options: new Uint8Array(0),
    sourcePort: 40_000,
    destinationPort: 6969,
    ...over,
    source: ip(from),
    destination: ip(to),
    payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
  };
}

/** "192.168.77.2:40000 > 255.255.255.255:6969 hello", or a fragment's offset. */
export function textOf(packet: Ipv4Packet): string {
  const [source, destination] = [ipv4FromNumber(packet.source), ipv4FromNumber(packet.destination)];
  if (packet.moreFragments || packet.fragmentOffset > 0)
    return `${source} > ${destination} at ${packet.fragmentOffset}: ${packet.payload.length}`;
  const udp = decodeUdp4(packet, { verify: true });
  if (!udp.ok) throw new Error(`UDP: ${udp.fault}`);
  const { sourcePort, destinationPort, payload } = udp.value;
  const said = payload.length > 40 ? `${payload.length} bytes` : new TextDecoder().decode(payload);
  return `${source}:${sourcePort} > ${destination}:${destinationPort} ${said}`;
}

/** A relay on segments in memory, each with a station that sends and hears. */
export class Rig {
  readonly interfaces = new ScriptedInterfaces();
  readonly packets = new FakePacketPorts();
  readonly replySockets = new FakeReplySockets();
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  readonly service: RelayService;
  readonly lans = new Map<Name, PacketLan>();
  readonly trace: string[] = []; // BOUNDED: by the test
  readonly #heard = new Map<Name, Ipv4Packet[]>();
  readonly #macs = new Map<Name, string[]>();
  readonly #stations = new Map<Name, (frame: Uint8Array) => void>();

  constructor(
    settings: Partial<ServiceSettings> = {},
    limits: Partial<Limits> = {},
    private readonly host = 0,
  ) {
    for (const name of Object.keys(NAMES) as Name[]) this.plug(name, newLan(name));
    const { packets, interfaces, replySockets, clock, log } = this;
    this.service = new RelayService(
      { ...SETTINGS, limits: { ...LIMITS, ...limits }, ...settings },
      { packets, interfaces, replySockets, clock, log },
    );
    this.service.tracer = (traced: Traced) => void this.trace.push(traceLine(traced, null) ?? '');
  }

  /** The interface is on this segment. */
  plug(name: Name, lan: PacketLan): void {
    this.lans.set(name, lan);
    this.packets.plug(NAMES[name], lan, ourMac(NAMES[name], this.host));
    this.#stations.set(
      name,
      lan.attach(stationMac(NAMES[name]), (frame) => {
        this.#hear(name, frame);
      }),
    );
  }

  async start(names: readonly Name[] = ['eth0', 'tap0', 'tap1'], pairs = PAIRS): Promise<void> {
    this.service.setPairs(pairs);
    await this.service.start();
    this.tell(names.map((name) => view(name)));
  }

  tell(links: readonly InterfaceView[], addresses = ADDRESSES): void {
    const shown = addresses.filter(({ ifindex }) => links.some((link) => link.ifindex === ifindex));
    this.interfaces.tell({ links, addresses: shown });
  }

  /** The station on the interface's segment broadcasts. */
  say(on: Name, spoken: Spoken): void {
    for (const frame of this.frames(on, spoken)) this.send(on, frame);
  }

  /** As the station would send it. */
  frames(on: Name, { mtu = 1500, ...spoken }: Spoken): readonly Uint8Array[] {
    const ethernet = WITHOUT_ETHERNET.includes(on)
      ? null
      : { source: hex(stationMac(NAMES[on])), destination: hex('ffffffffffff') };
    const allocate = (length: number): Uint8Array => new Uint8Array(length);
    return udp4Frames(datagramOf(spoken), { ethernet, mtu, allocate });
  }

  send(on: Name, frame: Uint8Array): void {
    this.#stations.get(on)?.(frame);
  }

  packetsOn(on: Name): readonly Ipv4Packet[] {
    return this.#heard.get(on) ?? [];
  }

  /** What the station on the interface's segment heard since the last time. */
  heard(on: Name): readonly string[] {
    return (this.#heard.get(on) ?? []).splice(0).map(textOf);
  }

  /** Destinations of the frames that it heard, as hex. */
  macs(on: Name): readonly string[] {
    return (this.#macs.get(on) ?? []).splice(0);
  }

  /** "received 3 = forwarded 1 + dropped 2 + waiting 0: port 2". */
  counts(): string {
    const { received, forwarded, droppedTotal, waiting, dropped } = this.service.relay.counters;
    const reasons = [...dropped].map(([reason, count]) => `${reason} ${count}`).join(', ');
    if (received !== forwarded + droppedTotal + waiting) throw new Error('counters do not add up');
    return `received ${received} = forwarded ${forwarded} + dropped ${droppedTotal} + waiting ${waiting}${reasons === '' ? '' : `: ${reasons}`}`;
  }

  #hear(on: Name, frame: Uint8Array): void {
    let bytes = frame;
    if (!WITHOUT_ETHERNET.includes(on)) {
      const ethernet = decodeEthernet(frame);
      if (!ethernet.ok) throw new Error(ethernet.fault);
      this.#macs.set(on, [...(this.#macs.get(on) ?? []), toHex(ethernet.value.destination)]);
      bytes = ethernet.value.payload;
    }
    const packet = decodeIpv4(bytes);
    if (!packet.ok) throw new Error(packet.fault);
    const heard = this.#heard.get(on) ?? [];
    heard.push(packet.value);
    this.#heard.set(on, heard);
  }
}

export const newLan = (name: Name): PacketLan =>
  new PacketLan(20_000, WITHOUT_ETHERNET.includes(name) ? 'ip' : 'ethernet');
