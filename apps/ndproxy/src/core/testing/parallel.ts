import { millis, type Millis } from '@pp/base';
import type { SeededRandom } from '@pp/base/testing';
import {
  decodeIpv6,
  encodeEthernet,
  encodeIpv6,
  ETHERTYPE_IPV6,
  isMulticast,
  linkAddressOption,
  multicastMac,
  NaFlag,
  ndFrame,
  NextHeader,
  solicitedNodeOf,
  VIRTIO_NET_HEADER,
} from '@pp/wire';
import { toHex } from '@pp/wire/testing';
import type { Action } from '../action';
import { CHECKED_BEFORE } from '../admit';
import type { DropReason } from '../drop-reason';
import { Group } from '../group';
import { ALL_OFF, LIMITS, type Mode } from '../limits';
import { NdPacket, ndTypeOf } from '../packet';
import { NO_POLICY } from '../policy';
import { drawsFrom, ip } from './scene';

/** One of a node's sockets: what waits there until the node gets to it. */
interface Queue {
  readonly node: Node;
  readonly frames: Uint8Array[]; // BOUNDED: by World.run
  readonly handle: (frame: Uint8Array) => void;
}

interface Port {
  readonly mac: Uint8Array;
  readonly take: (frame: Uint8Array) => void;
}

interface Node {
  readonly name: string;
  isHeldUp: boolean;
}

/** An Ethernet segment that carries at once into the queues of those who are to hear it. */
export class Segment {
  readonly #ports: Port[] = []; // BOUNDED: by the test
  carried = 0;

  attach(mac: Uint8Array, take: Port['take']): (frame: Uint8Array) => void {
    this.#ports.push({ mac, take });
    return (frame) => {
      this.carried += 1;
      const isForAll = ((frame[0] ?? 0) & 1) === 1;
      const [to, from] = [toHex(frame.subarray(0, 6)), toHex(mac)];
      for (const port of this.#ports)
        if (toHex(port.mac) !== from && (isForAll || toHex(port.mac) === to)) port.take(frame.slice());
    };
  }
}

/** Time, and who gets to which of its sockets when: as the random numbers say, or in the order of attachment. */
export class World {
  now: Millis = millis(0);
  readonly #queues: Queue[] = []; // BOUNDED: by the test
  readonly #bridges: Bridge[] = []; // BOUNDED: by the test

  constructor(private readonly random: SeededRandom | null = null) {}

  queue(node: Node, handle: Queue['handle']): (frame: Uint8Array) => void {
    const frames: Uint8Array[] = [];
    this.#queues.push({ node, frames, handle });
    return (frame) => void frames.push(frame);
  }

  add(bridge: Bridge): void {
    this.#bridges.push(bridge);
  }

  /** Until nobody who is not held up has anything to read, or `most` frames were read: how many were. Twenty take a millisecond. */
  run(most = 10_000): number {
    for (let read = 0; read < most; read++) {
      if (read % 20 === 19) this.now = millis(this.now + 1);
      this.#tick();
      const ready = this.#queues.filter(({ node, frames }) => !node.isHeldUp && frames.length > 0);
      const queue = this.random === null ? ready[0] : ready[this.random.below(ready.length || 1)];
      const frame = queue?.frames.shift();
      if (queue === undefined || frame === undefined) return read;
      queue.handle(frame);
    }
    return most;
  }

  /** Time goes on by so many milliseconds, and frames are read meanwhile, `most` of them. How many were. */
  pass(ms: number, most = 10_000): number {
    let read = this.run(most);
    for (const end = this.now + ms; this.now < end;) {
      this.now = millis(Math.min(end, this.now + 50));
      read += this.run(most);
    }
    return read;
  }

  #tick(): void {
    for (const bridge of this.#bridges)
      if (!bridge.isHeldUp && bridge.group.nextDue() <= this.now) bridge.tick();
  }
}

/** A group in bridge mode between segments, the first its upstream. Its Ethernet addresses are 02:bb:number::n, its gates open. */
export class Bridge implements Node {
  readonly group: Group;
  /** What operators were told. BOUNDED: by the test. */
  readonly told: string[] = [];
  isHeldUp = false;
  readonly #put: readonly ((frame: Uint8Array) => void)[];

  constructor(
    private readonly world: World,
    readonly number: number,
    segments: readonly Segment[],
    mode: Mode = 'bridge',
  ) {
    const [loopPolicy, switches, policy, limits] = ['nested', ALL_OFF, NO_POLICY, LIMITS] as const;
    const randomBytes = drawsFrom(16 * number);
    const settings = { name: this.name, mode, loopPolicy, switches, policy, limits, randomBytes };
    this.group = new Group(settings, world.now);
    this.#put = segments.map((segment, i) => this.#join(segment, i + 1));
    const links = segments.map((_, i) => ({
      ifindex: i + 1,
      ifname: `if${i + 1}`,
      role: i === 0 ? ('upstream' as const) : ('downstream' as const),
      mac: this.mac(i + 1),
      mtu: 1500,
    }));
    const addresses = links.map(({ ifindex }) => ({
      ifindex,
      address: ip(`fe80::bb:${number}:${ifindex}`),
      usable: true,
    }));
    this.#act(this.group.update(links, addresses, world.now));
    for (const { gate } of this.group.state.members.values()) gate.isOpen = true;
    world.add(this);
  }

  get name(): string {
    return `bridge ${this.number}`;
  }

  mac(ifindex: number): Uint8Array {
    return Uint8Array.of(2, 0xbb, this.number, 0, 0, ifindex);
  }

  tick(): void {
    this.#act(this.group.tick(this.world.now));
  }

  /** Where it takes the address to be. */
  whereIs(address: Uint8Array): string {
    const known = this.group.state.table.get(address);
    return known === undefined ? 'nowhere' : `${known.ifindex} ${toHex(known.mac ?? new Uint8Array())}`;
  }

  /** From now on it has no address to ask with. */
  loseAddresses(): void {
    const links = [...this.group.state.members.values()].map(({ link }) => link);
    this.#act(this.group.update(links, [], this.world.now));
  }

  /** It has heard that the address is on that interface, at that Ethernet address. */
  believe(address: Uint8Array, ifindex: number, mac: Uint8Array): void {
    this.group.state.learn(
      { address, ifindex, mac, certainty: 'advertised', override: true },
      this.world.now,
    );
  }

  dropped(reason: DropReason): number {
    return this.group.state.counters.dropped[reason] ?? 0;
  }

  get originated(): number {
    return this.group.state.counters.originated;
  }

  /** As of two sockets: one for neighbour discovery, one for the rest. */
  #join(segment: Segment, ifindex: number): (frame: Uint8Array) => void {
    const facts = { ...CHECKED_BEFORE, checksumReady: true };
    const nd = this.world.queue(this, (frame) => {
      this.#act(this.group.step(ifindex, frame, facts, this.world.now).actions);
    });
    const data = this.world.queue(this, (frame) => {
      const whole = Uint8Array.of(...new Uint8Array(VIRTIO_NET_HEADER), ...frame);
      this.#act(this.group.stepData(ifindex, whole, facts, this.world.now));
    });
    return segment.attach(this.mac(ifindex), (frame) => {
      (ndTypeAt(frame) === undefined ? data : nd)(frame);
    });
  }

  #act(actions: readonly Action[]): void {
    for (const action of actions)
      if (action.do === 'tell') this.told.push(action.event);
      else if (action.do === 'send') this.#put[action.ifindex - 1]?.(action.frame);
      else if (action.do === 'carry')
        this.#put[action.ifindex - 1]?.(action.frame.subarray(VIRTIO_NET_HEADER));
  }
}

const ICMP_TYPE_AT = 54;
const ndTypeAt = (frame: Uint8Array): ReturnType<typeof ndTypeOf> =>
  frame[20] === NextHeader.icmp6 ? ndTypeOf(frame[ICMP_TYPE_AT] ?? 0) : undefined;

/** A node with one address that answers who asks for it, and asks once for whom it does not know; what it knows it never asks again. */
export class Host implements Node {
  readonly name: string;
  readonly mac: Uint8Array;
  isHeldUp = false;
  /** What came for it, the first byte of each payload. BOUNDED: by the test. */
  readonly got: number[] = [];
  /** Ethernet addresses by address. BOUNDED: by the test. */
  readonly #known = new Map<string, Uint8Array>();
  readonly #waiting: { readonly to: Uint8Array; readonly packet: Uint8Array }[] = []; // BOUNDED: by the test
  readonly #put: (frame: Uint8Array) => void;

  constructor(
    world: World,
    number: number,
    readonly segment: Segment,
    readonly address: Uint8Array = ip(`2001:db8::${number}`),
  ) {
    this.name = `host ${number}`;
    this.mac = Uint8Array.of(2, 0, 0, 0, 0, number);
    const take = world.queue(this, (frame) => {
      this.#hear(frame);
    });
    this.#put = segment.attach(this.mac, take);
  }

  /** Sends to it by way of that Ethernet address from now on. */
  use(address: Uint8Array, mac: Uint8Array): void {
    this.#known.set(toHex(address), mac);
  }

  /** It answers its questions no more: who notices that asks all (RFC 4861 §7.3). */
  forget(address: Uint8Array): void {
    this.#known.delete(toHex(address));
  }

  /** A datagram that begins with `mark`, to a node or a group. */
  send(to: Uint8Array, mark: number): void {
    const packet = datagram(this.address, to, mark);
    const mac = isMulticast(to) ? multicastMac(to) : this.#known.get(toHex(to));
    if (mac !== undefined) {
      this.#put(ethernet(this.mac, mac, packet));
      return;
    }
    this.#waiting.push({ to, packet });
    this.ask(to);
  }

  ask(target: Uint8Array): void {
    const group = solicitedNodeOf(target);
    const route = { sourceMac: this.mac, destinationMac: multicastMac(group), source: this.address };
    const options = [linkAddressOption('source', this.mac)];
    this.#put(ndFrame({ ...route, destination: group }, { kind: 'neighbor-solicit', target, options }));
  }

  #hear(frame: Uint8Array): void {
    const type = ndTypeAt(frame);
    if (type === undefined) this.#hearData(frame);
    else this.#hearNd(new NdPacket(frame, type, true));
  }

  #hearData(frame: Uint8Array): void {
    const packet = frame.subarray(14);
    const decoded = decodeIpv6(packet);
    if (decoded.ok && toHex(decoded.value.destination) === toHex(this.address))
      this.got.push(decoded.value.payload[8] ?? 0);
  }

  #hearNd(packet: NdPacket): void {
    const isMine = toHex(packet.target) === toHex(this.address);
    if (packet.kind === 'neighbor-solicit' && isMine) this.#answer(packet);
    if (packet.kind !== 'neighbor-advert' || isMine) return;
    this.use(packet.target, packet.senderMac.slice());
    const found = this.#waiting.filter(({ to }) => toHex(to) === toHex(packet.target));
    for (const each of found) {
      this.#waiting.splice(this.#waiting.indexOf(each), 1);
      this.#put(ethernet(this.mac, packet.senderMac, each.packet));
    }
  }

  #answer({ source, senderMac }: NdPacket): void {
    this.use(source.slice(), senderMac.slice());
    const route = {
      sourceMac: this.mac,
      destinationMac: senderMac,
      source: this.address,
      destination: source,
    };
    const flags = NaFlag.solicited | NaFlag.override;
    const options = [linkAddressOption('target', this.mac)];
    this.#put(ndFrame(route, { kind: 'neighbor-advert', flags, target: this.address, options }));
  }
}

const ethernet = (source: Uint8Array, destination: Uint8Array, payload: Uint8Array): Uint8Array =>
  encodeEthernet({ source, destination, etherType: ETHERTYPE_IPV6, payload });

const datagram = (source: Uint8Array, destination: Uint8Array, mark: number): Uint8Array =>
  encodeIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 17,
    hopLimit: 64,
    source,
    destination,
    payload: Uint8Array.of(0x10, 0, 0x10, 0, 0, 9, 0, 0, mark),
  });
