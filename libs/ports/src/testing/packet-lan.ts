import { KernelError, type Errno } from '@pp/base';
import { runBpf, VIRTIO_NET_HEADER } from '@pp/wire';
import type { FrameFacts, PacketPort, PacketPortOptions, PacketPorts } from '../packet-port';

const FACTS: FrameFacts = {
  outgoing: false,
  vlan: 0,
  checksumReady: true,
  truncated: false,
};

/** linux/if_packet.h, PACKET_HOST and so on. */
const [HOST, BROADCAST, MULTICAST] = [0, 1, 2];

interface Station {
  readonly mac: string;
  receive(frame: Uint8Array, facts: FrameFacts): void;
}

/**
 * An Ethernet segment in memory: what a station sends, those that it is addressed to receive, at once and in order. It counts frames and
 * refuses to carry more than `maxFrames`, so that a storm ends as an error.
 */
export class PacketLan {
  readonly frames: Uint8Array[] = []; // BOUNDED: by maxFrames
  readonly #stations: Station[] = []; // BOUNDED: by the test

  /** `kind` ip: there is no Ethernet header, and everybody receives all. */
  constructor(
    readonly maxFrames = 10_000,
    readonly kind: 'ethernet' | 'ip' = 'ethernet',
  ) {}

  /** sll_pkttype, as a receiver's kernel says it. */
  packetType(frame: Uint8Array): number {
    if (this.kind === 'ip' || ((frame[0] ?? 0) & 1) === 0) return HOST;
    return frame.subarray(0, 6).every((byte) => byte === 0xff) ? BROADCAST : MULTICAST;
  }

  /** `mac` as hex without colons. */
  attach(mac: string, receive: (frame: Uint8Array, facts: FrameFacts) => void): (frame: Uint8Array) => void {
    const station: Station = { mac, receive };
    this.#stations.push(station);
    return (frame) => {
      if (this.frames.length >= this.maxFrames) throw new Error(`storm: over ${this.maxFrames} frames`);
      this.frames.push(frame.slice());
      const kept = frame.slice();
      WIRE.push(() => {
        this.#carry(kept, station);
      });
      carryAll();
    };
  }

  #carry(frame: Uint8Array, from: Station): void {
    const destination = hexOf(frame.subarray(0, 6));
    const isForAll = this.kind === 'ip' || this.packetType(frame) !== HOST;
    for (const station of this.#stations) {
      if (station.mac === from.mac) continue; // several ports of one interface do not hear each other
      if (isForAll || station.mac === destination) station.receive(frame.slice(), FACTS);
    }
  }
}

/** Frames on their way, on all segments: who sends from a handler has returned from it before anybody hears. BOUNDED: by maxFrames. */
const WIRE: (() => void)[] = [];
let isCarrying = false;

function carryAll(): void {
  if (isCarrying) return;
  isCarrying = true;
  try {
    for (let next = WIRE.shift(); next !== undefined; next = WIRE.shift()) next();
  } finally {
    isCarrying = false;
    WIRE.length = 0;
  }
}

/** An Ethernet frame of 1,500 bytes of payload. */
const LONGEST = 1514;

/** Ports on segments in memory. Strict: an interface that is not there is ENODEV, a closed port does not send. */
export class FakePacketPorts implements PacketPorts {
  readonly #links = new Map<number, { readonly lan: PacketLan; readonly mac: string }>(); // BOUNDED: by the test
  /** Why the kernel refuses a frame that goes out on an interface; null: it does not. BOUNDED: by the test. */
  readonly refusals = new Map<number, (frame: Uint8Array) => Errno | null>();
  /** By interface, how many. BOUNDED: by the test. */
  readonly #open = new Map<number, number>();

  plug(ifindex: number, lan: PacketLan, mac: string): void {
    this.#links.set(ifindex, { lan, mac });
  }

  unplug(ifindex: number): void {
    this.#links.delete(ifindex);
  }

  /** Interfaces with an open port, sorted. */
  get openIfindexes(): readonly number[] {
    return [...this.#open.keys()].sort((a, b) => a - b);
  }

  open({ ifindex, frames: kind, filter, onFrame, onBatchEnd }: PacketPortOptions): PacketPort {
    const link = this.#links.get(ifindex);
    if (link === undefined) throw new KernelError('ENODEV', `packet socket on #${ifindex}`);
    let isOpen = true;
    this.#count(ifindex, 1);
    const headerBytes = kind === 'ipv6' ? VIRTIO_NET_HEADER : 0;
    const put = link.lan.attach(link.mac, (frame, facts) => {
      if (
        !isOpen ||
        (filter.length > 0 && runBpf(filter, frame, ancillary(link.lan.packetType(frame))) === 0)
      )
        return;
      onFrame(Uint8Array.of(...new Uint8Array(headerBytes), ...frame), facts);
      onBatchEnd();
    });
    return {
      send: (frames) => {
        if (!isOpen) throw new KernelError('EBADF', `send on #${ifindex}`);
        if (!this.#links.has(ifindex)) throw new KernelError('ENXIO', `send on #${ifindex}`);
        for (const [index, frame] of frames.entries()) {
          const isTooLong = headerBytes === 0 && frame.length > LONGEST;
          const code = isTooLong ? 'EMSGSIZE' : (this.refusals.get(ifindex)?.(frame) ?? null);
          if (code !== null && index === 0) throw new KernelError(code, `send on #${ifindex}`);
          if (code !== null) return index;
          put(frame.subarray(headerBytes));
        }
        return frames.length;
      },
      missed: () => 0,
      close: () => {
        if (isOpen) this.#count(ifindex, -1);
        isOpen = false;
      },
    };
  }

  #count(ifindex: number, by: 1 | -1): void {
    const count = (this.#open.get(ifindex) ?? 0) + by;
    if (count === 0) this.#open.delete(ifindex);
    else this.#open.set(ifindex, count);
  }
}

/** Ancillary loads of a frame that comes in untagged (linux/filter.h: SKF_AD_OFF + 4 packet type, + 48 tag present). */
const ancillary = (packetType: number): ReadonlyMap<number, number> =>
  new Map([
    [0xfffff004, packetType],
    [0xfffff030, 0],
  ]);

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
