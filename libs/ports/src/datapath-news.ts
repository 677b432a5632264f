/** Something of ours that went from the kernel or was changed there; what is no edit of our table may be by our own hand. */
export type DatapathLoss =
  /** Our table of nftables; `by`: who did it, "nft (pid 4711)". */
  | { readonly on: 'table'; readonly by: string }
  /** Somebody else changed what is in it; `adds`: a chain, a set or the like that is none of ours may be there. */
  | { readonly on: 'edit'; readonly by: string; readonly adds: boolean }
  /** A link that carries our tag went, or went down. */
  | { readonly on: 'link'; readonly ifname: string }
  /** Of any link: with one of the host's own, the kernel drops routes in all tables and says nothing. */
  | { readonly on: 'address'; readonly cidr: string }
  | { readonly on: 'route'; readonly dst: string; readonly table: number }
  | { readonly on: 'rule'; readonly family: 'ipv4' | 'ipv6'; readonly priority: number }
  /** A link that is not ours went down; its routes go likewise. */
  | { readonly on: 'uplink' }
  /** The kernel had more to say than it could: anything may be gone. */
  | { readonly on: 'unknown' };

/** Tells what of ours goes from the kernel, as it goes. */
export interface DatapathNews {
  start(onLoss: (loss: DatapathLoss) => void): Promise<void>;
  /** Idempotent. */
  close(): void;
}
