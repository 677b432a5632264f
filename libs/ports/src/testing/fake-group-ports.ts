import { KernelError } from '@pp/base';
import { SEARCH_PORTS } from '@pp/datapath';
import type {
  GroupDatagram,
  GroupPort,
  GroupPortOptions,
  GroupPorts,
  GroupSender,
  SearchPort,
  SearchPortOptions,
} from '../group-ports';

/** A datagram that went over a link. */
export interface LinkDatagram {
  readonly ifindex: number;
  readonly from: string;
  readonly to: string;
  readonly hopLimit: number;
  readonly payload: Uint8Array;
}

/** Links in memory by ifindex. Strict: an interface that is not there is ENODEV, a closed port is EBADF, a group is opened once. */
export class FakeGroupPorts implements GroupPorts {
  /** All that was sent by ports, in order. */
  readonly sent: LinkDatagram[] = []; // BOUNDED: by the test
  /** Sends that the kernel is to refuse from now on, by ifindex. */
  readonly refusing = new Set<number>();
  readonly #links = new Map<number, { readonly ipv4: string; readonly ipv6: string }>();
  readonly #groups = new Map<string, GroupPortOptions>();
  readonly #toGroup = new WeakMap<GroupPort, (payload: Uint8Array) => void>();
  readonly #searches = new Map<number, SearchPortOptions>();

  /** This host's address in each family on the interface. */
  plug(ifindex: number, ipv4: string, ipv6: string): void {
    this.#links.set(ifindex, { ipv4, ipv6 });
  }

  unplug(ifindex: number): void {
    this.#links.delete(ifindex);
  }

  /** "1 224.0.0.251:5353", sorted. */
  get open(): readonly string[] {
    return [...this.#groups.keys()].sort();
  }

  get searchPorts(): readonly number[] {
    return [...this.#searches.keys()].sort((a, b) => a - b);
  }

  /** A station on the link sends to a group. Returns whether a port heard it. */
  hear(ifindex: number, group: string, port: number, datagram: Omit<GroupDatagram, 'ifindex'>): boolean {
    const open = this.#groups.get(keyOf({ ifindex, group, port }));
    open?.onDatagrams([{ ...datagram, ifindex }]);
    return open !== undefined;
  }

  /** A station on the link answers to a port for searching. */
  hearAnswer(ifindex: number, port: number, datagram: Omit<GroupDatagram, 'ifindex'>): boolean {
    const open = this.#searches.get(port);
    open?.onDatagrams([{ ...datagram, ifindex }]);
    return open !== undefined;
  }

  openGroup(options: GroupPortOptions): GroupPort {
    const { ifindex, group, port } = options;
    if (!this.#links.has(ifindex)) throw new KernelError('ENODEV', `group ${group} on #${ifindex}`);
    const key = keyOf(options);
    if (this.#groups.has(key)) throw new Error(`opened twice: ${key}`);
    this.#groups.set(key, options);
    const isOpen = (): boolean => this.#groups.get(key) === options;
    const made: GroupPort = {
      answer: (payload, address, to) => {
        this.#carry(isOpen(), options, ifindex, port, `${address}:${to}`, payload);
      },
      close: () => {
        if (isOpen()) this.#groups.delete(key);
      },
    };
    this.#toGroup.set(made, (payload) => {
      this.#carry(isOpen(), options, ifindex, port, `${group}:${port}`, payload);
    });
    return made;
  }

  sender(ports: readonly GroupPort[]): GroupSender {
    const sends = ports.map((port) => {
      const send = this.#toGroup.get(port);
      if (send === undefined) throw new Error('a sender of a port that is not one of these');
      return send;
    });
    return {
      ports: ports.length,
      send: (payloads) => sends.flatMap((send) => payloads.flatMap((payload) => refusal(send, payload))),
    };
  }

  openSearch(options: SearchPortOptions): SearchPort {
    let port: number = SEARCH_PORTS.first;
    while (this.#searches.has(port)) port++;
    if (port > SEARCH_PORTS.last) throw new KernelError('EADDRINUSE', 'port for searching');
    this.#searches.set(port, options);
    const isOpen = (): boolean => this.#searches.get(port) === options;
    return {
      port,
      send: (payload, ifindex, address, to) => {
        this.#carry(isOpen(), options, ifindex, port, `${address}:${to}`, payload);
      },
      close: () => {
        if (isOpen()) this.#searches.delete(port);
      },
    };
  }

  #carry(
    isOpen: boolean,
    { family, hopLimit }: Pick<GroupPortOptions, 'family' | 'hopLimit'>,
    ifindex: number,
    fromPort: number,
    to: string,
    payload: Uint8Array,
  ): void {
    const link = this.#links.get(ifindex);
    if (!isOpen) throw new KernelError('EBADF', `send on #${ifindex}`);
    if (link === undefined) throw new KernelError('ENODEV', `send on #${ifindex}`);
    if (this.refusing.has(ifindex)) throw new KernelError('EPERM', `send on #${ifindex}`);
    const from = `${link[family]}:${fromPort}`;
    this.sent.push({ ifindex, from, to, hopLimit, payload: payload.slice() });
  }
}

/** As a list; a closed port is a mistake of the caller. */
function refusal(send: (payload: Uint8Array) => void, payload: Uint8Array): readonly KernelError[] {
  try {
    send(payload);
    return [];
  } catch (fault) {
    if (fault instanceof KernelError && fault.code !== 'EBADF') return [fault];
    throw fault;
  }
}

const keyOf = ({ ifindex, group, port }: Pick<GroupPortOptions, 'ifindex' | 'group' | 'port'>): string =>
  `${ifindex} ${group}:${port}`;
