import { at } from './rules';
import { SETS } from './sets';

/** Where mcastfwd waits for answers to its own questions: ports beyond those that the kernel gives to anybody. First and last. */
export const SEARCH_PORTS = { first: 61_001, last: 61_256 } as const;

const UDP_FROM_MANAGED = `iifname ${at(SETS.managedGuests)} meta l4proto udp`;

/** mDNS, LLMNR, and what SSDP's groups carry: SSDP and WS-Discovery. */
const DISCOVERY = {
  ip: ['224.0.0.251 . 5353', '224.0.0.252 . 5355', '239.255.255.250 . 1900', '239.255.255.250 . 3702'],
  ip6: [
    ...['ff02::fb . 5353', 'ff02::1:3 . 5355', 'ff02::c . 1900', 'ff02::c . 3702'],
    ...['ff05::c . 1900', 'ff05::c . 3702'],
  ],
} as const;

/** Groups that hosts are in by themselves, as ip-maddr(8) tells: by the kernel, bridges included, and by the services of DISCOVERY. */
const JOINED = {
  ip: ['224.0.0.1', '224.0.0.106', '224.0.0.251', '224.0.0.252', '239.255.255.250'],
  ip6: [
    ...['ff01::/16', 'ff02::1', 'ff02::2', 'ff02::6a', 'ff02::1:ff00:0/104', 'ff05::2'],
    ...['ff02::c', 'ff02::fb', 'ff02::1:3', 'ff05::c'],
  ],
} as const;

/**
 * What containers and VMs say to multicast groups is for whoever has joined them, and their answers for who has asked; in `from_guest`. A
 * socket on the wildcard address hears every group that anybody has joined (IP_MULTICAST_ALL), so by 224.0.0.1 or ff02::1 a guest would
 * reach all services of the host: to such groups it speaks on their own ports only.
 */
export const MULTICAST_RULES: readonly string[] = [
  ...(['ip', 'ip6'] as const).flatMap((family) => [
    `${UDP_FROM_MANAGED} ${family} daddr . udp dport { ${DISCOVERY[family].join(', ')} } accept`,
    `${UDP_FROM_MANAGED} ${family} daddr != { ${JOINED[family].join(', ')} } fib daddr type multicast accept`,
  ]),
  `${UDP_FROM_MANAGED} udp dport ${SEARCH_PORTS.first}-${SEARCH_PORTS.last} accept`,
];
