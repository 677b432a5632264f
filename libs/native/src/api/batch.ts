/**
 * A received batch. All of it is borrowed: the object and its bytes are used again for the next batch of any socket, so copy what you
 * keep. Facts come by index (0 to `count` - 1), so that a frame costs no object.
 */
export interface FrameBatch {
  readonly count: number;
  /** Holds the bytes of all frames, at `offset(i)`, `length(i)`. */
  readonly buffer: Uint8Array;
  /** A view of one frame's bytes. */
  frame(index: number): Uint8Array;
  offset(index: number): number;
  length(index: number): number;
  /** Length on the wire; more than `length` if the frame was cut to `frameBytes`. TUN: always `length`. */
  wireLength(index: number): number;
  ifindex(index: number): number;
  /** sll_pkttype: 0 host, 1 broadcast, 2 multicast, 3 otherhost, 4 outgoing. TUN: 0. */
  packetType(index: number): number;
  /** ETH_P_* in host order. TUN: 0. */
  protocol(index: number): number;
  /** TP_STATUS_CSUMNOTREADY: the transport checksum is not filled in yet. */
  checksumNotReady(index: number): boolean;
  /** The VLAN tag control information that the kernel took out of the frame (id is the low 12 bits), or -1. */
  vlan(index: number): number;
}

/** A socket that reports a batch of what waits, as soon as something does. */
export interface BatchSocket {
  /** Reports nothing for so many milliseconds: what comes meanwhile waits, and is reported together. */
  wait(ms: number): void;
}
