import type { KernelError } from '@pp/base';
import type { bpf } from '@pp/wire';

/** What the kernel says of a frame beside its bytes. The object is used again for the next frame. */
export interface FrameFacts {
  /** This machine sends it, by somebody else than this port. */
  readonly outgoing: boolean;
  /** 802.1Q id of the tag that the kernel took out of the frame, or 0. */
  readonly vlan: number;
  /** False: the transport checksum is left to hardware that is not there (veth, TAP), so it means nothing. */
  readonly checksumReady: boolean;
  /** The frame was longer than what was captured. */
  readonly truncated: boolean;
}

export interface PacketPortOptions {
  readonly ifindex: number;
  /**
   * Default 'all': also what this host sends, and every multicast. 'ipv4': IPv4 that comes in, no multicast that nobody joined. 'ipv6':
   * IPv6 that comes in and every multicast, up to 64 KiB; each frame, received or to be sent, lies behind a virtio_net_hdr
   * (VIRTIO_NET_HEADER bytes) that says what checksum and segmentation its sender left to hardware.
   */
  readonly frames?: 'all' | 'ipv4' | 'ipv6';
  /** Runs in the kernel before a frame is copied. */
  readonly filter: readonly bpf.BpfInstruction[];
  /** A frame is valid only until the handler returns: copy to keep. */
  readonly onFrame: (frame: Uint8Array, facts: FrameFacts) => void;
  /** The last frame that arrived together with others was told. */
  readonly onBatchEnd: () => void;
  /** Receiving failed. ENETDOWN: the interface went down or away; the port may live on. */
  readonly onFault: (fault: KernelError) => void;
}

/** Frames of one interface, both ways; of one without Ethernet (WireGuard, TUN) they are bare IP packets. */
export interface PacketPort {
  /**
   * Sends frames at once; returns how many were taken: fewer where a queue is full, or one is refused. Throws KernelError when the first is
   * refused: ENETDOWN, ENXIO; EMSGSIZE, or ENOKEY and EDESTADDRREQ (WireGuard has no peer for it), which are about this frame alone.
   */
  send(frames: readonly Uint8Array[]): number;
  /** Frames that the kernel dropped since the last call because this process was too slow. */
  missed(): number;
  /** Idempotent. */
  close(): void;
}

/** Opens ports. Throws KernelError: ENODEV for an interface that is gone, EPERM. */
export interface PacketPorts {
  open(options: PacketPortOptions): PacketPort;
}
