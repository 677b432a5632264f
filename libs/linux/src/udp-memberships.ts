import { NativeError, type Native, type UdpHandle } from '@pp/native';
import type { GroupMemberships } from '@pp/ports';

// linux/in.h, linux/in6.h
const IPPROTO_IPV6 = 41;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_DROP_MEMBERSHIP = 21;

/** The memberships of one interface. */
interface Joined {
  readonly socket: UdpHandle;
  groups: number;
}

/**
 * By IPv6 sockets that receive nothing of use: the kernel then reports the groups by MLD, and forgets them with the socket. It bounds
 * what a socket may join (net.core.optmem_max), so each interface has its own.
 */
export class UdpMemberships implements GroupMemberships {
  readonly #joined = new Map<number, Joined>(); // BOUNDED: by the interfaces where there are groups

  constructor(private readonly native: Pick<Native, 'openUdp' | 'setSocketOption'>) {}

  join(ifindex: number, group: Uint8Array): boolean {
    return isDone(() => {
      const joined = this.#joined.get(ifindex) ?? this.#open(ifindex);
      try {
        this.#set(joined, IPV6_ADD_MEMBERSHIP, ifindex, group);
        joined.groups += 1;
      } finally {
        this.#closeIfEmpty(ifindex, joined);
      }
    });
  }

  leave(ifindex: number, group: Uint8Array): void {
    const joined = this.#joined.get(ifindex);
    if (joined === undefined) return;
    isDone(() => {
      this.#set(joined, IPV6_DROP_MEMBERSHIP, ifindex, group);
      joined.groups -= 1;
      this.#closeIfEmpty(ifindex, joined);
    });
  }

  close(): void {
    for (const { socket } of this.#joined.values()) socket.close();
    this.#joined.clear();
  }

  #open(ifindex: number): Joined {
    const socket = this.native.openUdp({
      family: 'ipv6',
      address: '::', // not ::1, which lo may lack
      port: 0,
      device: 'lo', // nothing from the wire is for it
      onDatagrams: () => undefined,
      onError: () => undefined,
    });
    const joined = { socket, groups: 0 };
    this.#joined.set(ifindex, joined);
    return joined;
  }

  #closeIfEmpty(ifindex: number, { socket, groups }: Joined): void {
    if (groups > 0) return;
    socket.close();
    this.#joined.delete(ifindex);
  }

  /** struct ipv6_mreq: 16 bytes of group, then the ifindex in host order. */
  #set({ socket }: Joined, option: number, ifindex: number, group: Uint8Array): void {
    const value = new Uint8Array(20);
    value.set(group);
    value.set(new Uint8Array(Uint32Array.of(ifindex).buffer), 16);
    this.native.setSocketOption(socket.fd, IPPROTO_IPV6, option, value);
  }
}

/** The interface is gone, there are as many as the kernel allows, of memberships or of files; left or joined already. */
const EXPECTED = new Set([
  ...['ENODEV', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL', 'EADDRINUSE'],
  ...['EMFILE', 'ENFILE'],
]);

/** False: the kernel refused. */
function isDone(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (fault) {
    if (fault instanceof NativeError && EXPECTED.has(fault.code)) return false;
    throw fault;
  }
}
