import { inboundChain } from './chains';
import { DNS_REDIRECT_RULES } from './dns-chains';
import { FORWARD_RULES } from './port-chains';
import { at, base, plain, type Chain } from './rules';
import { ADB_PORT, SETS } from './sets';

/** Linux VMs know Android's adbd by this address (spec/patchpanel.md 8); adb-proxy answers on the host's own one of the VM's link. */
const ADB_REDIRECT = `iifname . meta l4proto . th dport ${at(SETS.guestServices)} ip daddr 100.115.92.2 tcp dport ${ADB_PORT} redirect`;

/**
 * What comes to an uplink for the host and finds no socket there is ARC's (spec/patchpanel.md 3.10). A socket on the wildcard address
 * counts as one; `socket wildcard 0` would hand its connections to the guest. Explicit forwards come before. Only ADB is not: from the LAN
 * it is adb-proxy's, which lets in who is named.
 */
export const inboundChains = (arcAddresses: readonly string[]): readonly Chain[] => [
  ...arcAddresses.map((address) =>
    plain(inboundChain(address), [
      `tcp dport ${ADB_PORT} accept`,
      'meta l4proto { tcp, udp } socket wildcard { 0, 1 } accept',
      `meta l4proto { tcp, udp } dnat ip to ${address}`,
    ]),
  ),
  base(
    'nat_in',
    ['nat', 'prerouting', 'dstnat'],
    [
      ...DNS_REDIRECT_RULES,
      ...FORWARD_RULES,
      ADB_REDIRECT,
      `meta nfproto ipv4 fib daddr type local iifname vmap ${at(SETS.arcInbound)}`,
    ],
  ),
];
