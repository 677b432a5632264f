import type { Errno } from '@pp/base';
import { NativeError, type Native, type RelayHandle, type RelayPair, type TcpConnection } from '@pp/native';
import type {
  Caller,
  CallerEvents,
  ListenEvents,
  ListenPlace,
  RelayedBytes,
  RelayListener,
  RelayTarget,
  StreamRelay,
} from '@pp/ports';
import { kernelErrorOf } from './errors';

type Calls = Pick<Native, 'listenTcp' | 'connectStream' | 'openRelay' | 'closeFd'>;

/** By the addon: descriptors in, and the kernel moves the bytes. */
export class LinuxStreamRelay implements StreamRelay {
  readonly #native: Calls;
  readonly #relay: RelayHandle;
  /** Callers that have a descriptor of their own: the relay does not know them yet. BOUNDED: by descriptors. */
  readonly #waiting = new Set<LinuxCaller>();

  constructor(native: Calls) {
    this.#native = native;
    this.#relay = native.openRelay();
  }

  listen({ address, port, device = '' }: ListenPlace, on: ListenEvents): RelayListener {
    try {
      return this.#native.listenTcp({
        address,
        port,
        device,
        onConnections: (connections) => {
          for (const connection of connections) on.onCaller(this.#callerOf(connection));
        },
        onError: ({ code }) => {
          on.onFault(code as Errno);
        },
      });
    } catch (fault) {
      throw kernelErrorOf(fault, `listen at ${address} port ${port}`);
    }
  }

  close(): void {
    for (const caller of [...this.#waiting]) caller.close();
    this.#relay.close();
  }

  #callerOf(connection: TcpConnection): Caller {
    const caller = new LinuxCaller(this.#native, this.#relay, connection, () => this.#waiting.delete(caller));
    this.#waiting.add(caller);
    return caller;
  }
}

const NOTHING: RelayedBytes = { fromClient: 0, fromTarget: 0 };

class LinuxCaller implements Caller {
  readonly address: string;
  readonly port: number;
  /** Ours until the relay has taken it: -1. */
  #fd: number;
  #pair: RelayPair | undefined;
  #on: CallerEvents | undefined;

  constructor(
    private readonly native: Calls,
    private readonly relay: RelayHandle,
    { fd, address, port }: TcpConnection,
    private readonly waitsNoMore: () => void,
  ) {
    this.#fd = fd;
    this.address = address;
    this.port = port;
  }

  get bytes(): RelayedBytes {
    return this.#pair?.bytes ?? NOTHING;
  }

  connect(target: RelayTarget, on: CallerEvents): Errno | null {
    this.#on = on;
    try {
      this.#join(this.native.connectStream(target));
      return null;
    } catch (fault) {
      if (fault instanceof NativeError) return fault.code as Errno;
      throw fault;
    }
  }

  close(): void {
    this.waitsNoMore();
    this.#pair?.drop();
    if (this.#fd >= 0) this.native.closeFd(this.#fd);
    this.#fd = -1;
  }

  #join(target: number): void {
    try {
      if (this.#pair !== undefined) {
        this.#pair.retarget(target);
        return;
      }
      this.#pair = this.relay.join(this.#fd, target, {
        onConnected: () => this.#on?.onConnected(),
        onRefused: ({ code }) => this.#on?.onRefused(code as Errno),
        onEnd: (bytes, error) => this.#on?.onEnd(bytes, error === undefined ? null : (error.code as Errno)),
      });
      this.#fd = -1;
      this.waitsNoMore();
    } catch (fault) {
      this.native.closeFd(target);
      throw fault;
    }
  }
}
