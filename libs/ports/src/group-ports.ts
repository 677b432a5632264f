import type { KernelError } from '@pp/base';
import type { Family } from '@pp/wire';

/** A UDP datagram with the facts of its way in. */
export interface GroupDatagram {
  readonly data: Uint8Array;
  /** Sender, as text. */
  readonly address: string;
  readonly port: number;
  readonly ifindex: number;
}

interface Handlers {
  /** What arrived together. Valid only until the handler returns: copy to keep. */
  readonly onDatagrams: (batch: readonly GroupDatagram[]) => void;
  /** Receiving failed; the port may live on. */
  readonly onFault: (fault: KernelError) => void;
}

export interface GroupPortOptions extends Handlers {
  readonly family: Family;
  /** Multicast address. */
  readonly group: string;
  readonly port: number;
  readonly ifname: string;
  readonly ifindex: number;
  /** TTL or hop limit of all that is sent. */
  readonly hopLimit: number;
}

/**
 * A multicast group on one interface: hears what is sent to the group there, and nothing that is sent to this host alone, which is left to
 * other programs. What it sends is not heard on this host.
 */
export interface GroupPort {
  /** To one station on the interface, from the group's port. Throws KernelError: as GroupSender.send, and EBADF after `close`. */
  answer(payload: Uint8Array, address: string, port: number): void;
  /** Idempotent. */
  close(): void;
}

/** Some ports of groups, for sending. */
export interface GroupSender {
  /** How many there are. */
  readonly ports: number;
  /**
   * Every payload to the group by each port, from the group's port; by each in order. Gives one fault for each copy that the kernel refused:
   * ENETUNREACH, ENODEV, EPERM (a firewall), ENOBUFS. Throws KernelError EBADF when a port is closed.
   */
  send(payloads: readonly Uint8Array[]): readonly KernelError[];
}

export interface SearchPortOptions extends Handlers {
  readonly family: Family;
  readonly hopLimit: number;
}

/** A port of its own for a question whose answers come back to it, by any interface. */
export interface SearchPort {
  readonly port: number;
  /** To a group or a station on an interface, from this port. Throws as GroupPort.answer. */
  send(payload: Uint8Array, ifindex: number, address: string, port: number): void;
  /** Idempotent. */
  close(): void;
}

/** Opens ports. Throws KernelError: ENODEV for an interface that is gone, EADDRINUSE when none of SEARCH_PORTS is left. */
export interface GroupPorts {
  openGroup(options: GroupPortOptions): GroupPort;
  openSearch(options: SearchPortOptions): SearchPort;
  /** Sends by all of these, which are open; it is of use until one of them is closed. */
  sender(ports: readonly GroupPort[]): GroupSender;
}
