import type { Checked } from '@pp/base';

/** Sockets that clients passed to us. */
export interface ClientSockets {
  /** Writes `bits` under `mask` into the mark (SO_MARK) of an unconnected TCP or UDP socket; anything else is refused with a sentence. */
  mark(fd: number, mask: number, bits: number): Checked<null>;
}
