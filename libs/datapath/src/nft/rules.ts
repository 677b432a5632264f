import type { Uplink } from '../desired';
import { allBut, formatMark } from '../marks';
import { ARC_BRIDGE } from '../names';
import { LINK_GROUP } from '../tags';
import type { SetSpec } from './sets';

export interface Chain {
  readonly name: string;
  /** "type filter hook input priority 0; policy accept;"; null: entered by jumps only. */
  readonly hook: string | null;
  readonly rules: readonly string[];
}

/** Named counters, one for each reason to drop or reject; they keep their values over each load of the table. */
export const COUNTERS = [
  'drop_martian',
  'drop_not_allowed',
  'drop_spoofed_mac',
  'drop_spoofed_ip4',
  'drop_spoofed_ip6',
  'drop_no_uplink',
  'drop_other_uplink',
  'drop_invalid',
  'drop_unasked',
  'drop_guest_to_guest',
  'drop_guest_to_host',
  'drop_leak',
  'reject_locked_port',
  'reject_lockdown',
] as const;

type CounterName = (typeof COUNTERS)[number];

/** A chain that packets enter from the kernel's hook; what it does not decide passes. */
export const base = (
  name: string,
  [type, hook, priority]: readonly ['filter' | 'nat' | 'route', string, string],
  rules: readonly string[],
): Chain => ({ name, hook: `type ${type} hook ${hook} priority ${priority}; policy accept;`, rules });

export const plain = (name: string, rules: readonly string[]): Chain => ({ name, hook: null, rules });

/** A set in a rule. */
export const at = ({ name }: SetSpec): string => `@${name}`;

export const drop = (counter: CounterName): string => counted(counter, 'drop');

export const counted = (counter: CounterName, verdict: 'drop' | 'reject'): string =>
  `counter name "${counter}" ${verdict}`;

/** The groups of our own links, allowed or not: LINK_GROUP and DOOMED_GROUP. A mask costs a packet nothing, a range half a look-up. */
export const OUR_GROUPS = `${LINK_GROUP}/31`;

/** All but links of ours, which are guests first: ARC's bridge, while ARC has a VPN. */
export const othersAmong = (uplinks: readonly Uplink[]): readonly Uplink[] =>
  uplinks.filter(({ ifname }) => ifname !== ARC_BRIDGE);

/**
 * Comes from this uplink, compared by index: a name costs three times as much. A short cut only: what has its name and not its index, for
 * a moment, takes the long way.
 */
export const fromUplink = ({ ifindex }: Uplink): string => `meta iif ${ifindex}`;

/** The mark's bits of `mask` are `bits`. */
export const marked = (mask: number, bits: number): string =>
  `meta mark & ${formatMark(mask)} == ${formatMark(bits)}`;

/** Makes the mark's bits of `mask` `bits`; all others stay. */
export const mark = (mask: number, bits: number): string =>
  `meta mark set meta mark & ${formatMark(allBut(mask))} | ${formatMark(bits)}`;
