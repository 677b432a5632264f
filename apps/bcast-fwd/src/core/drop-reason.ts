/** Why a frame was not passed on, in words for `bcast-fwd status` and `trace`. Closed: every drop is counted under one of these. */
export const DROP_REASONS = {
  // The frame and its IPv4 header, RFC 791
  truncated: 'longer than what was captured, or than itself',
  vlan: 'VLAN tag',
  'group-source': 'source is a group Ethernet address',
  'unicast-frame': 'not an Ethernet broadcast',
  'ip-version': 'not IPv4',
  'ip-length': 'a length that cannot be',
  'ip-checksum': 'wrong IPv4 header checksum',
  'ip-option': 'IPv4 options that cannot be read',
  'source-route': 'source route option',
  ttl: 'time to live is 0',
  // Fragments
  'fragment-length': 'fragment that is not a multiple of 8 bytes, or ends beyond 65,535',
  'fragment-overlap': 'fragments that overlap',
  'fragment-duplicate': 'the same fragment again',
  'fragment-timeout': 'the other fragments did not come',
  'fragment-limit': 'more fragments than are kept',
  // UDP, RFC 768
  'not-udp': 'not UDP',
  'udp-length': 'UDP length is not that of the packet',
  'udp-checksum': 'wrong UDP checksum',
  // Addresses
  'own-mac': 'our own Ethernet address as source: it went in a circle',
  'own-source': 'an address of this host as source',
  'source-address': 'source is no address of a host',
  'off-link': 'source is not in a subnet of this interface',
  'not-broadcast': 'destination is not a broadcast address of this interface',
  // What is allowed
  dhcp: 'DHCP is never relayed',
  port: 'a port that is not in --ports',
  blocked: 'a --block rule',
  'not-allowed': 'no --allow rule for it',
  rate: 'more than --rate a second from this source, or ten times that from this interface',
  // Loops
  looped: 'the same datagram was sent here just before: it went in a circle',
  marked: 'another relay has marked it',
  // Ways out
  'no-exit': 'no other interface to pass it on to',
  'no-source': 'the way out has no IPv4 address to send it from',
} as const satisfies Record<string, string>;

export type DropReason = keyof typeof DROP_REASONS;
