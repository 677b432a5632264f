import { ROUTE_ON_VPN, VPN_INTENT_MASK, formatMark } from '../marks';
import { at, base, counted, plain, type Chain } from './rules';
import { SETS } from './sets';

/** Key of SETS.lockdown that switches it on. */
export const LOCKED = formatMark(ROUTE_ON_VPN);

/**
 * VPN lockdown: what wants the VPN and would leave by anything else is rejected (spec/patchpanel.md 3.8). It looks at the interface, not
 * at a tag, and stands while the VPN goes: there is no moment without it.
 */
export const lockdownRule = (...passes: readonly string[]): string =>
  [
    `meta mark & ${formatMark(VPN_INTENT_MASK)} != ${formatMark(0)}`, // the others need no look-up
    `meta mark & ${formatMark(VPN_INTENT_MASK)} ${at(SETS.lockdown)}`,
    ...[at(SETS.guests), at(SETS.vpns), ...passes].map((links) => `oifname != ${links}`),
    counted('reject_lockdown', 'reject'),
  ].join(' ');

/** The same for the host's own traffic. */
export const lockdownChain = (): Chain =>
  base('lockdown_output', ['filter', 'output', 'filter - 10'], [lockdownRule('"lo"')]);

/** First of `forward`: data packets are told by their flags, and cost no look-up. */
export const MSS_RULE = 'tcp flags & (syn | rst) == syn jump clamp_mss';

/** A guest does not know how small packets must be on the way; the kernel takes the smaller of both directions. */
export const mssChain = (): Chain =>
  plain('clamp_mss', [
    `oifname ${at(SETS.guests)} tcp option maxseg size set rt mtu`,
    `iifname ${at(SETS.guests)} tcp option maxseg size set rt mtu`,
  ]);
