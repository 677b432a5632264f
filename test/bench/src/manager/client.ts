import { deferred } from '@pp/base';
import { MemoryLog } from '@pp/base/testing';
import { systemClock } from '@pp/daemon';
import { connectBus, DBusError, type Bus, type CallRequest } from '@pp/dbus';
import { loadNative, type Native } from '@pp/native';
import { decodeStrict, encode } from '@pp/proto';
import { portRuleBody } from './port-rule-body';

const SERVICE = 'org.chromium.PatchPanel';
const TARGET = { destination: SERVICE, path: '/org/chromium/PatchPanel' } as const;

/** A connected namespace, until it is released. */
export interface Connection {
  /** From sending the request to having its reply. */
  readonly tookMs: number;
  readonly hostIfname: string;
  /** Closes the lifeline. */
  release(): void;
}

const native: Native = loadNative();

/** A client in this process, for many calls at once. What is timed to the microsecond is timed by ThinClient. */
export class Client {
  readonly bus: Bus;

  private constructor(bus: Bus) {
    this.bus = bus;
  }

  static async open(address: string): Promise<Client> {
    return new Client(await connectBus({ native, clock: systemClock, log: new MemoryLog(), address }));
  }

  /** Rejects with the manager's DBusError. */
  async connectNamespace(pid: number): Promise<Connection> {
    const [lifeline, theirs] = native.pipe();
    try {
      const request = connectRequest(encode('ConnectNamespaceRequest', { pid }), theirs);
      const start = performance.now();
      const { body } = await this.bus.call(request);
      const tookMs = performance.now() - start;
      const reply = decodeStrict('ConnectNamespaceResponse', body[0] as Uint8Array);
      if (!reply.ok) throw new Error(reply.sentence);
      return {
        tookMs,
        hostIfname: reply.value.hostIfname,
        release: () => {
          native.closeFd(lifeline);
        },
      };
    } catch (fault) {
      native.closeFd(lifeline);
      throw fault;
    } finally {
      native.closeFd(theirs);
    }
  }

  /** Milliseconds until the manager has refused a ConnectNamespace that is no protobuf: its own code runs, the kernel is not asked. */
  async refusal(): Promise<number> {
    const [lifeline, theirs] = native.pipe();
    try {
      return await timed(this.bus, connectRequest(Uint8Array.of(0xff), theirs));
    } finally {
      native.closeFd(lifeline);
      native.closeFd(theirs);
    }
  }

  /** Opens a TCP port to guests; a refusal is a fault. */
  async openPort(port: number): Promise<void> {
    const body = portRuleBody('create', port);
    await this.bus.call({
      ...TARGET,
      interface: SERVICE,
      member: 'ModifyPortRule',
      signature: 'ay',
      body: [body],
    });
  }

  /** Resolves when somebody owns the manager's name. */
  async served(): Promise<void> {
    const owned = deferred<undefined>();
    const stop = await this.bus.watchName(SERVICE, (owner) => {
      if (owner !== undefined) owned.resolve(undefined);
    });
    await owned.promise;
    stop();
  }

  close(): void {
    this.bus.close();
  }
}

const connectRequest = (body: Uint8Array, lifeline: number): CallRequest => ({
  ...TARGET,
  interface: SERVICE,
  member: 'ConnectNamespace',
  signature: 'ayh',
  body: [body, 0],
  fds: [lifeline],
});

/** A refusal by the service is an answer too; that there is no service is not. */
async function timed(bus: Bus, request: CallRequest): Promise<number> {
  const start = performance.now();
  try {
    await bus.call(request);
  } catch (fault) {
    if (!(fault instanceof DBusError && fault.name.startsWith(`${SERVICE}.Error.`))) throw fault;
  }
  return performance.now() - start;
}
