import type { Shape } from '../desired';
import { ROUTE_ON_VPN, VPN_INTENT_MASK } from '../marks';
import { at, base, counted, marked, plain, type Chain } from './rules';
import { SETS } from './sets';

/**
 * VPN lockdown: what wants the VPN and would leave by anything else is rejected (spec/patchpanel.md 3.8). It looks at the interface, not
 * at a tag, and stands while the VPN goes: there is no moment without it.
 */
export const lockdownRule = (...passes: readonly string[]): string =>
  [
    marked(VPN_INTENT_MASK, ROUTE_ON_VPN), // the others need no look-up
    ...[at(SETS.guests), at(SETS.vpns), ...passes].map((links) => `oifname != ${links}`),
    counted('reject_lockdown', 'reject'),
  ].join(' ');

/** The same for the host's own traffic. */
export const lockdownChain = ({ lockdown }: Shape): Chain =>
  base(
    'lockdown_output',
    ['filter', 'output', 'filter - 10'],
    lockdown === true ? [lockdownRule('"lo"')] : [],
  );

/** In `forward`: data packets are told by their flags, and cost no look-up. */
export const MSS_RULE = 'tcp flags & (syn | rst) == syn jump clamp_mss';

/** A guest does not know how small packets must be on the way; the kernel takes the smaller of both directions. */
export const mssChain = (): Chain =>
  plain('clamp_mss', [
    `oifname ${at(SETS.guests)} tcp option maxseg size set rt mtu`,
    `iifname ${at(SETS.guests)} tcp option maxseg size set rt mtu`,
  ]);
