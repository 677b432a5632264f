import type { DnsFault, SsdpFault } from '@pp/wire';

/** Why a packet was not passed on, in words for `mcastfwd status` and `trace`. Closed: every drop is counted under one of these. */
export const DROP_REASONS = {
  // Any packet
  'own-source': 'sent by this host itself',
  'off-link': 'its source is not on the link that it came by',
  'not-member': 'the interface is joined with no other',
  looped: 'came back from another interface: another relay has passed it on',
  storm: 'the same packet too often in one second; not passed on for 10 s',
  'too-big': 'longer than 9,000 bytes (RFC 6762 §17)',
  'no-exit': 'no interface to pass it on to has an address of this family',
  direction: 'this direction is switched off',
  filtered: 'all that it speaks of is filtered out',
  'send-failed': 'the kernel did not take it',
  // mDNS
  'dns-short': 'shorter than a DNS header',
  'dns-truncated': 'ends before its last record',
  'dns-count': 'more records than any message needs',
  'dns-rdata': 'a record whose data does not fit its type',
  'dns-slack': 'bytes after the last record',
  'name-truncated': 'a name that goes past the end',
  'name-label': 'a label longer than 63 bytes or of an unknown kind',
  'name-pointer': 'a compression pointer that does not lead backwards',
  'name-long': 'a name longer than 255 bytes',
  opcode: 'an operation code or response code other than 0 (RFC 6762 §18.3, §18.11)',
  'no-question': 'a query that asks and announces nothing',
  'response-port': 'a response not from port 5353 (RFC 6762 §6)',
  'legacy-records': 'a one-shot query with records in it (RFC 6762 §6.7)',
  'link-local-only': 'names only link-local addresses, which mean nothing elsewhere',
  'address-conflict': 'its name belongs to a host of that link itself (RFC 6762 §9)',
  'no-lan-address': 'the LAN side has no address yet that could stand for the guest',
  'held-full': 'too many known-answer lists wait for that of another host to end',
  // SSDP
  'ssdp-long': 'longer than any SSDP message',
  'ssdp-start': 'neither NOTIFY nor M-SEARCH nor an answer',
  'ssdp-header': 'a line that is no header',
  'ssdp-search': 'a search without MAN or ST',
  'ssdp-notify': 'an announcement without NT or NTS',
  'ssdp-stray': 'an answer to the group',
  'location-unreachable': 'LOCATION that leads nowhere from another link',
  'location-unforwarded': 'LOCATION of a guest behind NAT without a port forward to it',
  // Answers to a session
  'reply-late': 'an answer to nobody: its session is over',
  'reply-stray': 'an answer that was not asked for',
} as const satisfies Record<DnsFault | SsdpFault | (string & {}), string>;

export type DropReason = keyof typeof DROP_REASONS;
