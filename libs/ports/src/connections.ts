/** Tracked connections that can never work again, or that would outlive what let them pass. */
export interface DeadConnections {
  /** Pinned to these interfaces, which are gone or lead nowhere now. `family` null: of both. */
  readonly pinned: readonly { readonly ifindex: number; readonly family: 'ipv4' | 'ipv6' | null }[];
  /** Pinned to an interface and known outside by an address that it has no more. */
  readonly addressed: readonly { readonly ifindex: number; readonly address: string }[];
  /** Begun by these IPv4 addresses or answered by them: the guests that had them are gone, and others will get them. */
  readonly guests: readonly string[];
  /** Over UDP to these IPv4 places of the host, which lead elsewhere now. */
  readonly udp: readonly { readonly address: string; readonly port: number }[];
  /** Lookups of names over UDP by these IPv4 addresses, which go elsewhere now. */
  readonly lookups: readonly string[];
}

/** The connection table of this host. */
export interface Connections {
  /** Forgets them, so that what comes next begins anew. Never rejects: what the kernel refuses is logged. */
  forget(dead: DeadConnections): Promise<void>;
  /** Idempotent. */
  close(): void;
}
