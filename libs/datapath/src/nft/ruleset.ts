import type { Element, Shape, Uplink } from '../desired';
import { arcVpnRules } from './arc-vpn';
import { arrivalChain, forwardChain, pinChain } from './chains';
import { userDnsChain, userDnsSourceRules } from './dns-chains';
import { forwardChains, guardChains, inputChains, leavingChains, uplinkForwardChain } from './filter-chains';
import { inboundChains } from './inbound-chains';
import { localChains, uplinkTagChain } from './local-chains';
import { classifyChains, egressChains, sourceChains, uplinkMarkChains } from './mark-chains';
import { lockChains, uplinkArrivalChain } from './port-chains';
import { COUNTERS, type Chain } from './rules';
import { SETS } from './sets';
import { lockdownChain, mssChain } from './vpn-chains';

/**
 * Theory of operation. A packet meets these chains in this order; which rules it passes does not depend on the number of guests.
 *
 *   guard       prerouting  raw          what may enter: no martians, nothing from links that are not allowed, no false sources; whose
 *                                        traffic is the user's has that in its mark from here
 *   classify    prerouting  mangle       whose packet it is and which way it shall leave, written into its mark
 *   nat_in      prerouting  dstnat       name lookups of guests, ports that are forwarded, and then what comes in for ARC
 *   input       input       filter - 10  what guests may reach of the host
 *   forward     forward     filter - 10  VPN lockdown; no segment is larger than the way allows; what may reach guests, and guests what
 *   mark_output output      mangle       whose packet of the host's own it is, and which way it shall leave
 *   dns_out     output      dstnat       name lookups of the host's own users
 *   lock        output      filter - 10  ports on loopback that are locked
 *   lockdown_output         filter - 10  VPN lockdown of the host's own
 *   nat_out     postrouting srcnat       IPv4 of guests takes the uplink's address
 *   leave       postrouting srcnat + 10  uplink and source go into the connection's mark; what still has a guest's source now never leaves
 *
 * A packet pays 100 ns for a look-up by name, 120 by name and address, 150 by name and Ethernet address; 40 for each chain at a hook, a write
 * to a mark and a comparison of a name; 15 for one of a mark or an index (6.18, AMD EPYC). So uplinks, which are few and part of the shape,
 * are compared, by index; guests are looked up; and what most packets need comes first.
 *
 * Trusted are the names in the sets: a link comes into `guests` when all else about it is in place, and leaves it first. nft 1.0.6 can
 * combine a mark with constants only, so there is one small chain for each source and each uplink.
 */
export interface Ruleset {
  readonly counters: readonly string[];
  readonly chains: readonly Chain[];
  /** Elements that follow from the shape alone. */
  readonly elements: readonly Element[];
}

/** The table without its guests. */
export const ruleset = (shape: Shape): Ruleset => ({
  counters: COUNTERS,
  chains: [
    ...sourceChains(),
    ...egressChains(shape),
    ...guardChains(shape.uplinks, arcVpnRules(shape)),
    ...classifyChains(shape),
    ...inboundChains(shape.arcAddresses ?? []),
    ...inputChains(),
    mssChain(),
    ...forwardChains(shape, arcVpnRules(shape)),
    ...sessionChains(shape),
    ...localChains(shape),
    lockdownChain(shape),
    // they come and go
    ...shape.uplinks.flatMap((uplink) => [
      ...uplinkMarkChains(uplink),
      uplinkForwardChain(uplink),
      uplinkArrivalChain(uplink),
      uplinkTagChain(uplink),
    ]),
  ],
  elements: [
    ...shape.uplinks.flatMap(uplinkElements),
    ...(shape.vpn === undefined ? [] : [{ set: SETS.vpns.name, key: [shape.vpn] }]),
  ],
});

function sessionChains(shape: Shape): readonly Chain[] {
  const { sessionUser = null, userDns = [] } = shape;
  return [
    ...lockChains(sessionUser),
    userDnsChain(userDns, sessionUser),
    ...leavingChains(shape, userDnsSourceRules(userDns, sessionUser), arcVpnRules(shape)),
  ];
}

/** All chains of the table, in the order of their declaration. */
export const chainNames = (shape: Shape): readonly string[] => ruleset(shape).chains.map(({ name }) => name);

const uplinkElements = ({ ifname }: Uplink): readonly Element[] => [
  { set: SETS.uplinks.name, key: [ifname] },
  { set: SETS.uplinkPin.name, key: [ifname], jump: pinChain(ifname) },
  { set: SETS.uplinkForward.name, key: [ifname], jump: forwardChain(ifname) },
  { set: SETS.uplinkArrival.name, key: [ifname], jump: arrivalChain(ifname) },
];
