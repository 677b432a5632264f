import { NativeError, type Native, type UdpHandle } from '@pp/native';
import type { GroupMemberships } from '@pp/ports';

// linux/in.h, linux/in6.h
const IPPROTO_IPV6 = 41;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_DROP_MEMBERSHIP = 21;

/** By an IPv6 socket that receives nothing of use: the kernel then reports the groups by MLD, and forgets them with the socket. */
export class UdpMemberships implements GroupMemberships {
  readonly #socket: UdpHandle;

  constructor(private readonly native: Pick<Native, 'openUdp' | 'setSocketOption'>) {
    this.#socket = native.openUdp({
      family: 'ipv6',
      address: '::', // not ::1, which lo may lack
      port: 0,
      device: 'lo', // nothing from the wire is for it
      onDatagrams: () => undefined,
      onError: () => undefined,
    });
  }

  join(ifindex: number, group: Uint8Array): boolean {
    return this.#set(IPV6_ADD_MEMBERSHIP, ifindex, group);
  }

  leave(ifindex: number, group: Uint8Array): void {
    this.#set(IPV6_DROP_MEMBERSHIP, ifindex, group);
  }

  close(): void {
    this.#socket.close();
  }

  /** struct ipv6_mreq: 16 bytes of group, then the ifindex in host order. */
  #set(option: number, ifindex: number, group: Uint8Array): boolean {
    const value = new Uint8Array(20);
    value.set(group);
    value.set(new Uint8Array(Uint32Array.of(ifindex).buffer), 16);
    try {
      this.native.setSocketOption(this.#socket.fd, IPPROTO_IPV6, option, value);
      return true;
    } catch (fault) {
      if (fault instanceof NativeError && EXPECTED.has(fault.code)) return false;
      throw fault;
    }
  }
}

/** The interface is gone, or the socket has as many as the kernel allows (net.core.optmem_max); left or joined already. */
const EXPECTED = new Set(['ENODEV', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL', 'EADDRINUSE']);
