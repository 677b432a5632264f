import type { NetworkView } from './network-news';

/** A link of ours, as the kernel has it. */
export interface OwnLink {
  readonly ifname: string;
  readonly ifindex: number;
}

/** The host's network, and our links in it. */
export interface InspectedNetwork {
  readonly view: NetworkView;
  readonly own: readonly OwnLink[];
}

/** Looks at the host and changes nothing. */
export interface HostInspection {
  /** A file's text, up to 1 MiB of it; null: it is not there, or not for us to read. */
  text(path: string): string | null;
  /** Sorted; none where there is no such directory. */
  names(directory: string): readonly string[];
  /** null: this kernel has no such key, or it is not for us to read. */
  sysctl(key: string): string | null;
  /** Opens a device for reading and writing and closes it again: the errno by which that was refused, or null. */
  openFault(path: string): string | null;
  /** Rejects with KernelError. */
  network(): Promise<InspectedNetwork>;
  /** All of this namespace's nftables as `nft -j list ruleset` writes it. Rejects with KernelError: EPERM, or ENOENT where there is no nft. */
  ruleset(): Promise<string>;
  /** Makes one of each thing that guests need in a network namespace that nobody else sees: the first refusal, or null. */
  tryDatapath(): Promise<string | null>;
  /** Nothing may be asked afterwards. */
  close(): void;
}
