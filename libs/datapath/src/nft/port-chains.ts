import type { Uplink } from '../desired';
import { formatMark, routingTag, SOURCE_MASK } from '../marks';
import { arrivalChain } from './chains';
import { at, base, plain, type Chain } from './rules';
import { SETS } from './sets';

/** Ports as ModifyPortRule leaves them (spec/patchpanel.md 10). A packet passes the same rules however many there are. */

/** Of the host's own ports, those that guests may use; in `from_guest`. */
export const ACCESS_RULES: readonly string[] = [
  `meta l4proto . th dport ${at(SETS.openPorts)} accept`,
  `iifname . meta l4proto . th dport ${at(SETS.openPortsOn)} accept`,
];

/** What comes in for a port that is forwarded; in `nat_in`. One address before all of the host's. */
export const FORWARD_RULES: readonly string[] = [
  `dnat ip to iifname . ip daddr . meta l4proto . th dport map ${at(SETS.portForwardsAt)}`,
  `fib daddr type local dnat ip to iifname . meta l4proto . th dport map ${at(SETS.portForwards)}`,
  `dnat ip6 to iifname . ip6 daddr . meta l4proto . th dport map ${at(SETS.portForwardsAt6)}`,
  `meta nfproto ipv6 fib daddr type local dnat ip6 to iifname . meta l4proto . th dport map ${at(SETS.portForwards6)}`,
];

/** Where a connection from outside is led to a guest, it stays with the uplink that it came by: the answers leave there. */
export const ARRIVAL_RULE = `ct status dnat iifname vmap ${at(SETS.uplinkArrival)}`;

export const uplinkArrivalChain = ({ ifname, ifindex }: Uplink): Chain =>
  plain(arrivalChain(ifname), [
    `ct mark set ct mark & ${formatMark(SOURCE_MASK)} | ${formatMark(routingTag(ifindex))} accept`,
  ]);

/**
 * Ports on loopback that are locked. What answers from a locked port's number (an ephemeral one) passes; so does what the kernel
 * sends when the socket is gone, which carries nothing. `sessionUser` null: nobody is let through.
 */
export const lockChains = (sessionUser: number | null): readonly Chain[] => [
  plain('locked_port', [
    'ct direction reply return',
    `${sessionUser === null ? '' : `meta skuid != ${sessionUser} `}counter name "reject_locked_port" reject`,
  ]),
  base(
    'lock',
    ['filter', 'output', 'filter - 10'],
    [`oifname "lo" meta l4proto . th dport ${at(SETS.lockedPorts)} jump locked_port`],
  ),
];
