import { at } from './rules';
import { SETS } from './sets';

/** Where mcastfwd waits for answers to its own questions: ports beyond those that the kernel gives to anybody. First and last. */
export const SEARCH_PORTS = { first: 61_001, last: 61_256 } as const;

const UDP_FROM_MANAGED = `iifname ${at(SETS.managedGuests)} meta l4proto udp`;

/** What containers and VMs say to multicast groups is for whoever has joined them, and their answers for who has asked; in `from_guest`. */
export const MULTICAST_RULES: readonly string[] = [
  `${UDP_FROM_MANAGED} fib daddr type multicast accept`,
  `${UDP_FROM_MANAGED} udp dport ${SEARCH_PORTS.first}-${SEARCH_PORTS.last} accept`,
];
