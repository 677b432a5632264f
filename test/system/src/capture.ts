import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED_INSIDE, type Child, type Host } from '@pp/lab';
import type { Sum, Sums } from './counters-rig';

/** What passes an interface of a host, by tcpdump: the judge of the counters. */
export class Capture {
  readonly #tcpdump: Child;
  readonly #path: string;
  readonly #mac: string;

  private constructor(tcpdump: Child, path: string, mac: string) {
    this.#tcpdump = tcpdump;
    this.#path = path;
    this.#mac = mac;
  }

  /** Resolves when it listens. */
  static async start(host: Host, ifname: string): Promise<Capture> {
    const links = (await host.json('ip', '-j', 'link', 'show', 'dev', ifname)) as readonly {
      readonly address: string;
    }[];
    const name = `capture-${ifname}.pcap`;
    const snap = ['-p', '-U', '--immediate-mode', '-B', '16384', '-s', '96'];
    const tcpdump = host.spawn('tcpdump', [
      ...['-Z', 'root', '-i', ifname, ...snap, '-w', join(SHARED_INSIDE, name)],
      'ip or ip6',
    ]);
    await tcpdump.line('sign of listening', (line) => (line.includes('listening on') ? true : undefined));
    return new Capture(tcpdump, join(host.shared, name), links[0]?.address ?? '');
  }

  /** Ends it; sums of the IP total lengths. Throws where packets were dropped. */
  async stop(): Promise<Sums> {
    const { stderr } = await this.#tcpdump.stop();
    if (!/^0 packets dropped by kernel/m.test(stderr)) throw new Error(`the capture is not whole: ${stderr}`);
    return sumsOf(readFileSync(this.#path), this.#mac);
  }
}

// pcap-savefile(5): 24 bytes of file header, then 16 before each packet, numbers in the order of who wrote them.
const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const ETHERNET = 14;

function sumsOf(file: Buffer, mac: string): Sums {
  type Mutable = { -readonly [K in keyof Sum]: Sum[K] };
  const none = (): Mutable => ({ rx: 0n, tx: 0n, rxPackets: 0n, txPackets: 0n });
  const sums = { 4: none(), 6: none() };
  const own = mac.replaceAll(':', '');
  for (let at = FILE_HEADER; at + PACKET_HEADER <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + PACKET_HEADER, at + PACKET_HEADER + length);
    at += PACKET_HEADER + length;
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
