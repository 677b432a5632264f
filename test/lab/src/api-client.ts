import { systemClock } from '@pp/daemon';
import { connectBus, type Bus } from '@pp/dbus';
import { MemoryLog } from '@pp/base/testing';
import { loadNative, type Native } from '@pp/native';
import { decodeStrict, encode, type Init, type MessageName, type Messages } from '@pp/proto';

const SERVICE = {
  destination: 'org.chromium.PatchPanel',
  path: '/org/chromium/PatchPanel',
  interface: 'org.chromium.PatchPanel',
};

/** Methods whose request and response are named after them. */
export type Method = {
  [N in MessageName]: N extends `${infer M}Request`
    ? `${M}Response` extends MessageName
      ? M
      : never
    : never;
}[MessageName];
type RequestOf<M extends Method> = Extract<MessageName, `${M}Request`>;
type ResponseOf<M extends Method> = Extract<MessageName, `${M}Response`>;

/** A client of the manager as another program would be one: protobuf over D-Bus, descriptors beside it. */
export class ApiClient {
  readonly native: Native;
  readonly bus: Bus;
  readonly #ours = new Set<number>(); // BOUNDED: by what one test opens

  private constructor(native: Native, bus: Bus) {
    this.native = native;
    this.bus = bus;
  }

  static async open(address: string): Promise<ApiClient> {
    const native = loadNative();
    return new ApiClient(
      native,
      await connectBus({ native, clock: systemClock, log: new MemoryLog(), address }),
    );
  }

  /** Calls a method with any bytes; rejects with the DBusError of the reply. */
  async raw(member: string, body: Uint8Array, fds: readonly number[] = []): Promise<Uint8Array> {
    const values = [body, ...fds.map((_, index) => index)];
    const signature = `ay${'h'.repeat(fds.length)}`;
    const reply = await this.bus.call({ ...SERVICE, member, signature, body: values, fds });
    return reply.body[0] as Uint8Array;
  }

  /** Calls a method that takes no descriptor. */
  async ask<M extends Method>(
    method: M,
    request: Init<Messages[RequestOf<M>]>,
  ): Promise<Messages[ResponseOf<M>]> {
    const body = await this.raw(method, encode(`${method}Request` as RequestOf<M>, request));
    return decoded(`${method}Response` as ResponseOf<M>, body);
  }

  /** Tells the manager what a neighbour discovery proxy would. `address` is 16 bytes. */
  async neighbor(
    event: 'NeighborDetected' | 'NeighborLost',
    neighbor: Messages['NeighborEvent'],
  ): Promise<void> {
    const forwarding = { ...SERVICE, interface: `${SERVICE.interface}.Forwarding1`, member: event };
    await this.bus.call({ ...forwarding, signature: 'ay', body: [encode('NeighborEvent', neighbor)] });
  }

  /** Hears of every NetworkDeviceChanged from the moment the promise resolves. */
  async onDeviceChanged(
    heard: (change: Messages['NetworkDeviceChangedSignal']) => void,
  ): Promise<() => void> {
    const rule = { path: SERVICE.path, interface: SERVICE.interface, member: 'NetworkDeviceChanged' };
    return this.bus.subscribe(rule, ({ body }) => {
      heard(decoded('NetworkDeviceChangedSignal', body[0] as Uint8Array));
    });
  }

  /** Connects a namespace; the returned `release` ends its lifeline. */
  async connect(request: Init<Messages['ConnectNamespaceRequest']>): Promise<HeldNamespace> {
    const [keep, send] = this.native.pipe();
    this.#ours.add(keep);
    try {
      const body = await this.raw('ConnectNamespace', encode('ConnectNamespaceRequest', request), [send]);
      return {
        reply: decoded('ConnectNamespaceResponse', body),
        release: () => {
          this.closeFd(keep);
        },
      };
    } catch (fault) {
      this.closeFd(keep);
      throw fault;
    } finally {
      this.native.closeFd(send);
    }
  }

  closeFd(fd: number): void {
    if (this.#ours.delete(fd)) this.native.closeFd(fd);
  }

  /** All lifelines end. */
  releaseAll(): void {
    for (const fd of [...this.#ours]) this.closeFd(fd);
  }

  /** As a client that dies: all lifelines end. */
  close(): void {
    this.releaseAll();
    this.bus.close();
  }
}

export interface HeldNamespace {
  readonly reply: Messages['ConnectNamespaceResponse'];
  readonly release: () => void;
}

export function decoded<M extends MessageName>(name: M, bytes: Uint8Array): Messages[M] {
  const checked = decodeStrict(name, bytes);
  if (!checked.ok) throw new Error(checked.sentence);
  return checked.value;
}
