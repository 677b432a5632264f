import { millis, seconds, type Millis } from '@pp/base';

export type Mode = 'route' | 'bridge';
/** See spec/nd-and-relays.md 5, decision 1. */
export type LoopPolicy = 'guard' | 'rfc' | 'nested';

/** What spec/nd-and-relays.md 2 leaves to the operator: off unless asked for. */
export interface Switches {
  /** A solicitation to a group goes only to the segment of a target that was heard a moment ago. */
  readonly suppress: boolean;
  /** Where a node has left, its address is announced as ours: switches and peers there need not wait for probes to fail. */
  readonly announceMoves: boolean;
  /** An advertisement to one host goes to all nodes of all downstreams, for routers that never send another. */
  readonly raMulticast: boolean;
  /** A signed message (RFC 3971) that would have to be changed is dropped; else it passes, and receivers take it as unsigned. */
  readonly dropSigned: boolean;
}

export const ALL_OFF: Switches = {
  suppress: false,
  announceMoves: false,
  raMulticast: false,
  dropSigned: false,
};

/** What bounds a group's memory and patience. Tests shorten the waits here and nowhere else. */
export interface Limits {
  /** Neighbours known on one interface, and behind one Ethernet address of it. */
  readonly neighborsPerInterface: number;
  readonly neighborsPerMac: number;
  /** A neighbour not heard for so long is asked whether it is there (downstream), or forgotten (elsewhere). */
  readonly probeAfter: Millis;
  readonly forgetAfter: Millis;
  /** After a mere duplicate check the address may never be used: it is asked soon. */
  readonly probeTentativeAfter: Millis;
  readonly probeInterval: Millis;
  readonly probes: number;
  /** Addresses that may be there though they are silent: how many, and how often they are asked for. */
  readonly suspects: number;
  readonly suspectInterval: Millis;
  readonly suspectIntervalMax: Millis;
  /** Waiting for an answer: targets, messages for each, how often and how far apart they are asked. */
  readonly pendingTargets: number;
  readonly pendingPerTarget: number;
  /** A longer packet does not wait. */
  readonly pendingBytes: number;
  readonly solicits: number;
  readonly solicitInterval: Millis;
  /** Solicitations of our own a second, for what is asked from one segment; and to see who is still there. */
  readonly solicitsPerSecond: number;
  /** ICMPv6 errors of our own a second, RFC 4443 §2.4 (f). */
  readonly errorsPerSecond: number;
  /** Router solicitations passed on a second, for each downstream. */
  readonly routerSolicitsPerSecond: number;
  /** RFC 4389 §6: the gate of a downstream opens after two advertisements, or so long without any. */
  readonly gateAdverts: number;
  readonly gateRepeat: Millis;
  readonly gateQuiet: Millis;
  /** RFC 4389 §4.1.3.3: an interface where another proxy was heard is off for so long. */
  readonly loopDisable: Millis;
  /** The same message from another segment within this is our own, come back. */
  readonly recent: Millis;
  /** Our own router solicitations. */
  readonly routerSolicitInterval: Millis;
  readonly routerSolicits: number;
  readonly routers: number;
  /** A received advertisement is as good as new for so long. */
  readonly freshAdvert: Millis;
}

export const LIMITS: Limits = {
  neighborsPerInterface: 4096,
  neighborsPerMac: 64,
  probeAfter: seconds(60),
  forgetAfter: seconds(600),
  probeTentativeAfter: seconds(4),
  probeInterval: seconds(1), // RetransTimer, RFC 4861 §10
  probes: 3,
  suspects: 256,
  suspectInterval: seconds(10),
  suspectIntervalMax: seconds(60),
  pendingTargets: 256,
  pendingPerTarget: 4,
  pendingBytes: 2048,
  solicits: 3,
  solicitInterval: millis(330),
  solicitsPerSecond: 50,
  errorsPerSecond: 50,
  routerSolicitsPerSecond: 10,
  gateAdverts: 2,
  gateRepeat: millis(250),
  gateQuiet: seconds(12), // three intervals of router solicitation, RFC 4861 §10
  loopDisable: seconds(60 * 60),
  recent: millis(500),
  routerSolicitInterval: seconds(4),
  routerSolicits: 3,
  routers: 8,
  freshAdvert: seconds(10),
};

/** Behind a nested proxy all nodes have its one Ethernet address. */
export const NESTED_NEIGHBORS_PER_MAC = 4096;

/** As a wait: it does not end. */
export const NEVER = millis(Infinity);
