import { ROUTE_ON_VPN, VPN_INTENT_MASK, formatMark } from '../marks';
import { at, base, counted, type Chain } from './rules';
import { SETS } from './sets';

/** Key of SETS.lockdown that switches it on. */
export const LOCKED = formatMark(ROUTE_ON_VPN);

/**
 * VPN lockdown: what wants the VPN and would leave by anything else is rejected (spec/patchpanel.md 3.8). It looks at the interface, not
 * at a tag, and stands while the VPN goes: there is no moment without it.
 */
export const lockdownRule = (...passes: readonly string[]): string =>
  [
    `meta mark & ${formatMark(VPN_INTENT_MASK)} ${at(SETS.lockdown)}`,
    ...[at(SETS.guests), at(SETS.vpns), ...passes].map((links) => `oifname != ${links}`),
    counted('reject_lockdown', 'reject'),
  ].join(' ');

/** The same for the host's own traffic. */
export const lockdownChain = (): Chain =>
  base('lockdown_output', ['filter', 'output', 'filter - 10'], [lockdownRule('"lo"')]);

/**
 * A guest does not know how small packets must be on the way; the kernel takes the smaller of both directions. Flags first: data packets
 * cost no look-up.
 */
export const mssChain = (): Chain =>
  base(
    'mss',
    ['filter', 'forward', 'mangle'],
    [
      `tcp flags & (syn | rst) == syn oifname ${at(SETS.guests)} tcp option maxseg size set rt mtu`,
      `tcp flags & (syn | rst) == syn iifname ${at(SETS.guests)} tcp option maxseg size set rt mtu`,
    ],
  );
