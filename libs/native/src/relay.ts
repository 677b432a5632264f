import { NativeError } from './api/error';
import type { RelayEvents, RelayHandle, RelayNative, RelayPair, RelayedBytes } from './api/relay';
import type { TcpConnection, TcpListener, TcpListenOptions } from './api/relay';
import type { Addon, Source } from './raw';
import { COLUMNS } from './received';

const BACKLOG = 511;

export function relayCalls(addon: Addon): RelayNative {
  return {
    listenTcp: (options) => listener(addon, options),
    connectStream: (target) => {
      switch (target.via) {
        case 'unix':
          return addon.connectUnix(target.path);
        case 'vsock':
          return addon.connectVsock(target.cid, target.port);
        case 'tcp':
          return addon.tcpConnect(target.address, target.port);
      }
    },
    openRelay: () => new Relay(addon),
  };
}

function listener(addon: Addon, options: TcpListenOptions): TcpListener {
  const { address, port, device = '', backlog = BACKLOG, onConnections, onError } = options;
  const socket = addon.tcpListen(
    address,
    port,
    device,
    backlog,
    (_count, addresses) => {
      onConnections(connections(addon.table, addresses));
    },
    onError,
  );
  return {
    port: addon.tcpPort(socket),
    pause: () => {
      addon.tcpPause(socket, true);
    },
    resume: () => {
      addon.tcpPause(socket, false);
    },
    close: () => {
      addon.close(socket);
    },
  };
}

/** Rows of tcp.c: descriptor and port. */
const connections = (table: Int32Array, addresses: readonly string[]): readonly TcpConnection[] =>
  addresses.map((address, row) => ({
    fd: table[row * COLUMNS] ?? -1,
    port: table[row * COLUMNS + 1] ?? 0,
    address,
  }));

class Relay implements RelayHandle {
  readonly #addon: Addon;
  readonly #relay: Source;
  /** By slot; the addon uses the lowest free one. BOUNDED: by descriptors. */
  readonly #events: (RelayEvents | undefined)[] = [];

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#relay = addon.relayOpen(
      (slot) => {
        this.#events[slot]?.onConnected();
      },
      (slot, errno) => {
        this.#events[slot]?.onRefused(this.#error(errno, 'connect'));
      },
      (slot, fromClient, fromTarget, errno) => {
        const events = this.#events[slot];
        this.#events[slot] = undefined; // `onEnd` may join a pair that gets the same slot
        events?.onEnd({ fromClient, fromTarget }, errno === 0 ? undefined : this.#error(errno, 'splice'));
      },
    );
  }

  join(client: number, target: number, events: RelayEvents): RelayPair {
    const slot = this.#addon.relayJoin(this.#relay, client, target);
    this.#events[slot] = events;
    return new Pair(this.#addon, this.#relay, slot, () => this.#take(slot, events));
  }

  close(): void {
    this.#events.length = 0;
    this.#addon.close(this.#relay);
  }

  /** Whether the slot was still the pair's. */
  #take(slot: number, events: RelayEvents): boolean {
    if (this.#events[slot] !== events) return false;
    this.#events[slot] = undefined;
    return true;
  }

  #error(errno: number, call: string): NativeError {
    return new NativeError(this.#addon.errnoName(errno) ?? `E${errno}`, call);
  }
}

class Pair implements RelayPair {
  constructor(
    private readonly addon: Addon,
    private readonly relay: Source,
    private readonly slot: number,
    private readonly take: () => boolean,
  ) {}

  get bytes(): RelayedBytes {
    const [fromClient, fromTarget] = this.addon.relayBytes(this.relay, this.slot);
    return { fromClient, fromTarget };
  }

  retarget(target: number): void {
    this.addon.relayRetarget(this.relay, this.slot, target);
  }

  drop(): void {
    if (this.take()) this.addon.relayDrop(this.relay, this.slot);
  }
}
