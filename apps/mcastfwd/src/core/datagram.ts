/** A packet as it came in. `data` is borrowed. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly ifindex: number;
  /** Sender, as text. */
  readonly address: string;
  readonly port: number;
}
