import type { FrameBatch } from './batch';
import type { NativeError } from './error';

export interface TunOptions {
  readonly mode: 'tun' | 'tap';
  /** Exact name, or a template such as "vmtap%d". A name that exists is EBUSY. */
  readonly name: string;
  /** Open a queue of the interface that exists, as a VMM does; ENODEV if there is none. */
  readonly attach?: boolean;
  /** uid that may open it later. */
  readonly owner?: number;
  /** Ethernet address of the interface (TAP only). */
  readonly mac?: Uint8Array;
  readonly vnetHeader?: boolean;
  /** Default /dev/net/tun. */
  readonly device?: string;
  /** Read frames, by batch; without it nothing is read here (a VMM does it). */
  readonly onFrames?: (frames: FrameBatch) => void;
  /** Reading failed, e.g. EBADFD: the interface was deleted. No frames come after it. */
  readonly onError?: (error: NativeError) => void;
  /** Frames a batch (at most 64) and bytes a frame; default 64 and 2048, with `vnetHeader` 15 and 65,561. */
  readonly batch?: number;
  readonly frameBytes?: number;
}

/** An open TUN/TAP queue. Without `persist` the interface goes with the fd. */
export interface TunHandle {
  readonly name: string;
  readonly ifindex: number;
  readonly fd: number;
  persist(on: boolean): void;
  /** TUNSETOFFLOAD flags (TUN_F_*). */
  offload(flags: number): void;
  /** Gives frames to the interface, as if they came in on it; returns how many it took (see `PacketHandle.send`). */
  send(frames: readonly Uint8Array[]): number;
  close(): void;
}

export interface TunNative {
  openTun(options: TunOptions): TunHandle;
}
