import { seconds, type Millis } from '@pp/base';

/** What bounds the relay's memory and patience. */
export interface Limits {
  /** Fragmented datagrams that wait for the rest: together, of one source, bytes of all, fragments of one, and how long. */
  readonly reassemblies: number;
  readonly reassembliesPerSource: number;
  readonly reassemblyBytes: number;
  readonly fragments: number;
  readonly reassemblyTime: Millis;
  /** The same datagram from the other side within this is our own, come back. */
  readonly recent: Millis;
  /** Interfaces pass this many times --rate. */
  readonly interfaceRate: number;
  /** Ports held for answers: together, for one source, new ones a second for one interface, and how long after the last use. */
  readonly sessions: number;
  readonly sessionsPerSource: number;
  readonly sessionsPerSecond: number;
  readonly sessionTime: Millis;
}

export const LIMITS: Limits = {
  reassemblies: 64,
  reassembliesPerSource: 8,
  reassemblyBytes: 1 << 20,
  fragments: 128, // 64 KiB in fragments of 576 bytes
  reassemblyTime: seconds(5),
  recent: seconds(2), // spec/nd-and-relays.md, B3
  interfaceRate: 10,
  sessions: 256,
  sessionsPerSource: 32,
  sessionsPerSecond: 20,
  sessionTime: seconds(15),
};
