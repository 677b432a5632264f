import type { HostIpv6, InspectedNetwork } from '@pp/ports';
import type { FirewallChain } from './ruleset';

/** What was asked, or why it is not told; `denied`: somebody with more rights would be told. */
export type Told<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string; readonly denied: boolean };

/** What of the manager's status is looked at. */
export interface ManagerFacts {
  readonly version: string;
  readonly ready: boolean;
  /** Those that are there. */
  readonly uplinks: readonly { readonly ifname: string; readonly default: boolean }[];
  /** Empty: the manager runs none. */
  readonly helpers: readonly { readonly name: string; readonly state: string }[];
  readonly warnings: readonly string[];
}

export interface BusFacts {
  /** Somebody has the manager's name. */
  readonly hasManager: boolean;
}

/** A program that configures interfaces, and one of ours that it says it manages. */
export interface Meddling {
  readonly program: 'NetworkManager' | 'systemd-networkd' | 'dhcpcd';
  readonly ifname: string;
}

/** Of the host and of us, found at one time. */
export interface Facts {
  /** Of this program. */
  readonly version: string;
  /** Capabilities by name that looking needs and this process has not. */
  readonly lacking: readonly string[];
  readonly manager: Told<ManagerFacts>;
  /** Names of those that nobody answers for, of those that are installed and are to run. */
  readonly silentHelpers: readonly string[];
  readonly bus: Told<BusFacts>;
  /** Policy files that speak of the manager's name. null: the bus is not the system's own, and has others. */
  readonly policies: readonly string[] | null;
  /** errno; null: TAPs can be made. */
  readonly tunFault: string | null;
  /** The first step that this kernel refuses; null: none. */
  readonly datapathFault: Told<string | null>;
  readonly network: Told<InspectedNetwork>;
  readonly ipv6: HostIpv6;
  /** The sysctls of interest: null where this kernel has no such key. */
  readonly sysctls: ReadonlyMap<string, string | null>;
  readonly firewall: Told<readonly FirewallChain[]>;
  /** Those whose legacy form has a filter table, which nft(8) does not show. */
  readonly legacyFilters: readonly ('iptables' | 'ip6tables')[];
  /** null: this kernel tracks no connections yet. */
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly meddling: readonly Meddling[];
  /** avahi-daemon runs and reflects between interfaces. */
  readonly avahiReflects: boolean;
}
