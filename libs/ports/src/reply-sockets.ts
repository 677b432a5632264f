import type { KernelError } from '@pp/base';

export interface ReplySocketOptions {
  /** Nothing is heard from another interface. */
  readonly ifname: string;
  /** IPv4 address of this host. */
  readonly address: string;
  /** 0: any that is free. */
  readonly port: number;
  /** A datagram for the address and port. The bytes are the receiver's. */
  readonly onDatagram: (data: Uint8Array, fromAddress: string, fromPort: number) => void;
  /** Receiving failed, e.g. ECONNREFUSED or ENETDOWN; the socket may live on. */
  readonly onFault: (fault: KernelError) => void;
}

/** Holds a UDP port of this host, so that answers to what was sent from it arrive. */
export interface ReplySocket {
  readonly port: number;
  /** Idempotent. */
  close(): void;
}

/** Opens reply sockets. Throws KernelError: EADDRINUSE for a port that is taken, EADDRNOTAVAIL, ENODEV, EMFILE. */
export interface ReplySockets {
  open(options: ReplySocketOptions): ReplySocket;
}
