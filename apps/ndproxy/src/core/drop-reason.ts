/** Why a frame was not passed on, in words for `ndproxy status` and `trace`. Closed: every drop is counted under one of these. */
export const DROP_REASONS = {
  // Any message: RFC 4861 §6.1, §7.1, §8.1 and RFC 8200
  truncated: 'longer than what was captured',
  'not-nd': 'not neighbour discovery',
  'ip-version': 'not IPv6',
  'ip-length': 'payload length beyond the frame',
  'hop-limit': 'hop limit is not 255: it comes from another link',
  'icmp-code': 'ICMPv6 code is not 0',
  checksum: 'wrong checksum',
  'option-zero': 'option of length zero',
  'option-overrun': 'option beyond the end of the message',
  'link-option': 'link-layer address option that holds no Ethernet address of one station',
  fragment:
    'neighbour discovery in a fragment (RFC 6980), or a first fragment without all headers (RFC 7112)',
  'extension-header': 'neighbour discovery behind extension headers, or more of these than are looked behind',
  'source-address': 'source is multicast, loopback or IPv4-mapped',
  'destination-address': 'destination is unspecified or loopback',
  vlan: 'VLAN tag',
  'own-mac': 'our own Ethernet address as source: it went in a circle',
  'own-source': 'an address of this host as source, from the wire',
  'group-source': 'source is a group Ethernet address',
  'group-frame': 'unicast destination in a group frame',
  // Router solicitation, RFC 4861 §6.1.1
  'rs-short': 'router solicitation shorter than 8 bytes',
  'rs-option': 'router solicitation from "::" with a link-layer address',
  'rs-upstream': 'router solicitation on the upstream',
  'rs-rate': 'more router solicitations than are passed on',
  // Router advertisement, RFC 4861 §6.1.2, RFC 4389 §4.1.3.3
  'ra-source': 'router advertisement not from a link-local address',
  'ra-short': 'router advertisement shorter than 16 bytes',
  'ra-downstream': 'router advertisement on a downstream',
  'ra-proxied': 'router advertisement that another proxy passed on',
  // Neighbour solicitation, RFC 4861 §7.1.1
  'ns-short': 'neighbour solicitation shorter than 24 bytes',
  'ns-target': 'neighbour solicitation for "::" or "::1"',
  'ns-target-multicast': 'neighbour solicitation for a multicast address',
  'ns-dad-destination': 'neighbour solicitation from "::" not to a solicited-node group',
  'ns-dad-option': 'neighbour solicitation from "::" with a link-layer address',
  'ns-group': 'solicited-node group of another target',
  // Neighbour advertisement, RFC 4861 §7.1.2
  'na-short': 'neighbour advertisement shorter than 24 bytes',
  'na-target-multicast': 'neighbour advertisement for a multicast address',
  'na-solicited': 'solicited neighbour advertisement to a group',
  'na-own-target': 'neighbour advertisement for an address of this host',
  // Redirect, RFC 4861 §8.1
  'redirect-source': 'redirect not from a link-local address',
  'redirect-short': 'redirect shorter than 40 bytes',
  'redirect-destination': 'redirect for a multicast address',
  'redirect-target': 'redirect to what is neither a router nor the destination',
  'redirect-router': 'redirect not from a router of the upstream',
  'redirect-downstream': 'redirect on a downstream',
  // The proxy itself
  signed: 'signed, and could not pass unchanged (--drop-signed)',
  prefix: 'of a prefix that is not proxied (--only-prefix, --not-prefix)',
  'dad-ignored': 'from a station that claims every address (--dad-ignore)',
  looped: 'it came round: the same from another segment just before, or again and again from another bridge',
  'loop-disabled': 'switched off after another proxy was heard',
  'gate-closed': 'downstream not open yet: two router advertisements, or 12 s without any, come first',
  'same-segment': 'its destination is where it came from',
  'no-exit': 'no other interface to pass it on to',
  'too-big': 'larger than the MTU of the way out',
  unresolved: 'nobody answered for its destination',
  'relayed-elsewhere': 'mDNS or SSDP, which another service relays between the same segments',
  'queue-full': 'too many wait for an answer',
  'solicit-rate': 'more unknown destinations than are asked for',
} as const satisfies Record<string, string>;

export type DropReason = keyof typeof DROP_REASONS;
