import type { Shape } from '../desired';
import { ROUTING_TAG_MASK, routingTag } from '../marks';
import { ARC_BRIDGE } from '../names';
import { ARC_MANAGEMENT_SUBNET, hostAt } from '../pools';
import { at, drop, marked } from './rules';
import { SETS } from './sets';

/** What a guest's link must be allowed more, while it is the way out; of each chain one list. */
export interface ArcVpnRules {
  /** In `guest_sources`: the VPN answers from any address, but for those of guests and of the host, which accept_local lets by. */
  readonly sources: readonly string[];
  /** In `forward`: what is led there, but nothing that was meant for Android itself. */
  readonly forward: readonly string[];
  /** In `leave`: by this link the host's own address on it is none of a guest's. */
  readonly leaving: readonly string[];
  /** Names the links that the user's own traffic takes to guests; in `local_to_vpn`. */
  readonly toGuests: string;
}

const TO_GUESTS = `oifname ${at(SETS.guests)}`;
const NONE: ArcVpnRules = { sources: [], forward: [], leaving: [], toGuests: TO_GUESTS };

/**
 * Android's own VPN (spec/patchpanel.md 3.7): the user's traffic goes into Android by its management bridge, which is a guest's link and an
 * uplink then. Without such a VPN there is not one rule of it.
 */
export function arcVpnRules({ vpn, uplinks, guestPrefixes }: Shape): ArcVpnRules {
  const bridge = uplinks.find(({ ifname }) => ifname === ARC_BRIDGE);
  if (vpn !== ARC_BRIDGE || bridge === undefined) return NONE;
  const outside =
    guestPrefixes.length === 0 ? 'meta nfproto ipv4' : `ip saddr != { ${guestPrefixes.join(', ')} }`;
  return {
    sources: [
      `iifname "${ARC_BRIDGE}" meta nfproto ipv4 fib saddr type local ${drop('drop_spoofed_ip4')}`,
      `iifname "${ARC_BRIDGE}" ${outside} return`,
    ],
    forward: [
      `iifname ${at(SETS.guests)} oifname "${ARC_BRIDGE}" ${marked(ROUTING_TAG_MASK, routingTag(bridge.ifindex))} accept`,
    ],
    leaving: [`oifname "${ARC_BRIDGE}" ip saddr ${hostAt(ARC_MANAGEMENT_SUBNET, 0)} accept`],
    toGuests: `oifname != "${ARC_BRIDGE}" ${TO_GUESTS}`,
  };
}
