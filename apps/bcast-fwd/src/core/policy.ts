import { matchesIfname } from '@pp/ports';
import type { DropReason } from './drop-reason';
import { isMagicPacket } from './magic-packet';

/** Both ends belong to it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Some sources, on some interfaces, to some ports. */
export interface Rule {
  /** A name or a pattern; null: any. */
  readonly ifname: string | null;
  readonly network: number;
  readonly mask: number;
  /** Of the destination; null: any. */
  readonly ports: PortRange | null;
}

export interface Policy {
  readonly ports: readonly PortRange[];
  /** Magic packets pass whatever their port is. */
  readonly wakeOnLan: boolean;
  /** If there are any, one must match. */
  readonly allow: readonly Rule[];
  readonly block: readonly Rule[];
}

export const DHCP_PORTS: PortRange = { first: 67, last: 68 };

export const isIn = ({ first, last }: PortRange, port: number): boolean => first <= port && port <= last;

/** What is looked at of a datagram. */
export interface Asked {
  readonly source: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** Why a datagram that came in on an interface may not pass; null: it may. */
export function refusal(policy: Policy, ifname: string, asked: Asked): DropReason | null {
  const { sourcePort, destinationPort } = asked;
  if (isIn(DHCP_PORTS, sourcePort) || isIn(DHCP_PORTS, destinationPort)) return 'dhcp';
  if (!mayUsePorts(policy, asked)) return 'port';
  if (policy.block.some((rule) => matches(rule, ifname, asked))) return 'blocked';
  if (policy.allow.length > 0 && !policy.allow.some((rule) => matches(rule, ifname, asked)))
    return 'not-allowed';
  return null;
}

/** A source port is a client's own choice, but for those below 1024, which services have. */
function mayUsePorts({ ports, wakeOnLan }: Policy, { sourcePort, destinationPort, payload }: Asked): boolean {
  if (wakeOnLan && isMagicPacket(payload)) return true;
  const isListed = (port: number): boolean => ports.some((range) => isIn(range, port));
  return isListed(destinationPort) && (sourcePort >= 1024 || isListed(sourcePort));
}

const matches = ({ ifname, network, mask, ports }: Rule, on: string, asked: Asked): boolean =>
  (ifname === null || matchesIfname(ifname, on)) &&
  (asked.source & mask) >>> 0 === network &&
  (ports === null || isIn(ports, asked.destinationPort));
