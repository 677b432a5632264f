import type { KernelError } from '@pp/base';
import type { Address, Route, Rule } from './desired';
import type { Op } from './op';

/** What became of one step: done, not attempted because of an earlier fault, or refused by the kernel. */
export type Outcome = 'done' | 'skipped' | KernelError;

/** A link that carries our tag, as the kernel has it. */
export interface ObservedLink {
  readonly ifname: string;
  readonly ifindex: number;
  readonly kind: string;
  readonly alias: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly multicast: boolean;
  readonly master: string | null;
}

/** All that carries our tag: links by group or alias, addresses on them, routes and rules by protocol number. */
export interface Observed {
  readonly links: readonly ObservedLink[];
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** Whether `table inet patchpanel` is there. */
  readonly table: boolean;
  /** Names of its chains, so that those of uplinks that are gone can be removed; absent: not known, and they stay behind. */
  readonly chains?: readonly string[];
  /** Of the names asked for, those that are under /run/netns. */
  readonly netns: readonly string[];
  /** Of the keys asked for, those that this kernel has. */
  readonly sysctls: ReadonlyMap<string, string>;
}

/** The one door to the kernel, strict and honest: an add of what is there and a delete of what is not are refused. */
export interface Kernel {
  /**
   * Attempts `ops` in order; gives one outcome per op. Steps that make and configure links, write sysctls, set addresses, routes and
   * rules, and add elements for links that come with them, may share a batch with their neighbours, which goes on behind a refusal;
   * nothing else is attempted after one, but skipped.
   */
  apply(ops: readonly Op[]): Promise<readonly Outcome[]>;
  observe(ask: { readonly netns: readonly string[]; readonly sysctls: readonly string[] }): Promise<Observed>;
}
