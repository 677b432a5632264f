/** Tracked connections that can never work again. */
export interface DeadConnections {
  /** Pinned to these interfaces, which are gone or lead nowhere now. `family` null: of both. */
  readonly pinned: readonly { readonly ifindex: number; readonly family: 'ipv4' | 'ipv6' | null }[];
  /** Pinned to an interface and known outside by an address that it has no more. */
  readonly addressed: readonly { readonly ifindex: number; readonly address: string }[];
}

/** The connection table of this host. */
export interface Connections {
  /** Forgets them, so that what comes next begins anew. Never rejects: what the kernel refuses is logged. */
  forget(dead: DeadConnections): Promise<void>;
  /** Idempotent. */
  close(): void;
}
