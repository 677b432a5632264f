import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED_INSIDE, until, type Child, type Host } from '@pp/lab';
import type { Sum, Sums } from './counters-rig';

/** What passes an interface of a host, by tcpdump: the judge of the counters. */
export class Capture {
  #marks = 0;

  private constructor(
    readonly host: Host,
    readonly ifname: string,
    readonly tcpdump: Child,
    readonly mac: string,
  ) {}

  /** Resolves when it listens. */
  static async start(host: Host, ifname: string): Promise<Capture> {
    const links = (await host.json('ip', '-j', 'link', 'show', 'dev', ifname)) as readonly {
      readonly address: string;
    }[];
    const snap = ['-p', '-U', '--immediate-mode', '-B', '16384', '-s', '96'];
    const tcpdump = host.spawn('tcpdump', [
      ...['-Z', 'root', '-i', ifname, ...snap, '-w', join(SHARED_INSIDE, fileOf(ifname))],
      `ip or ip6 or ether proto 0x${MARKER}`,
    ]);
    await tcpdump.line('sign of listening', (line) => (line.includes('listening on') ? true : undefined));
    return new Capture(host, ifname, tcpdump, links[0]?.address ?? '');
  }

  /** Marks this moment by a frame that is no IP, and waits until all before it is written: what tcpdump has not read when a signal ends it is lost. */
  async mark(): Promise<void> {
    const number = (++this.#marks).toString(16).padStart(2, '0');
    const frame = `${'ff'.repeat(6)}${this.mac.replaceAll(':', '')}${MARKER}${number}${'00'.repeat(45)}`;
    const escaped = frame.replaceAll(
      /../g,
      (byte) => `\\${Number.parseInt(byte, 16).toString(8).padStart(3, '0')}`,
    );
    await this.host.shell(`printf '${escaped}' | socat -u - INTERFACE:${this.ifname}`);
    await until('tcpdump has written all', () => this.#file().includes(Buffer.from(frame, 'hex')));
  }

  /** Ends it; sums of the IP total lengths up to the last mark, or of all without one. Throws where packets were dropped. */
  async stop(): Promise<Sums> {
    const { stderr } = await this.tcpdump.stop();
    if (!/^0 packets dropped by kernel/m.test(stderr)) throw new Error(`the capture is not whole: ${stderr}`);
    return sumsOf(this.#file(), this.mac, this.#marks);
  }

  #file(): Buffer {
    return readFileSync(join(this.host.shared, fileOf(this.ifname)));
  }
}

const fileOf = (ifname: string): string => `capture-${ifname}.pcap`;

/** EtherType for local experiments (IEEE 802), which nobody else here sends. */
const MARKER = '88b5';

// pcap-savefile(5): 24 bytes of file header, then 16 before each packet, numbers in the order of who wrote them.
const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const ETHERNET = 14;

/** Up to the mark of that number. */
function sumsOf(file: Buffer, mac: string, lastMark: number): Sums {
  type Mutable = { -readonly [K in keyof Sum]: Sum[K] };
  const none = (): Mutable => ({ rx: 0n, tx: 0n, rxPackets: 0n, txPackets: 0n });
  const sums = { 4: none(), 6: none() };
  const own = mac.replaceAll(':', '');
  for (let at = FILE_HEADER; at + PACKET_HEADER <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + PACKET_HEADER, at + PACKET_HEADER + length);
    at += PACKET_HEADER + length;
    if (frame.toString('hex', 12, 14) === MARKER) {
      if (frame[ETHERNET] === lastMark) break;
      continue;
    }
    const isIpv6 = frame.readUInt16BE(12) === 0x86dd;
    // RFC 791: total length; RFC 8200: payload length, to which the header of 40 bytes comes.
    const bytes = isIpv6 ? frame.readUInt16BE(ETHERNET + 4) + 40 : frame.readUInt16BE(ETHERNET + 2);
    const sum = sums[isIpv6 ? 6 : 4];
    if (frame.toString('hex', 6, 12) === own) {
      sum.tx += BigInt(bytes);
      sum.txPackets++;
    } else {
      sum.rx += BigInt(bytes);
      sum.rxPackets++;
    }
  }
  return sums;
}
