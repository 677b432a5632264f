import { readdirSync } from 'node:fs';
import { MemoryLog } from '@pp/base/testing';
import { loadNative } from '@pp/native';
import { connectBus, DBusError, type Bus, type Handlers, type InterfaceSpec } from '../index';
import { startPrivateBus, type PrivateBus } from './private-bus';
import { realClock } from './real-clock';
import { until } from './until';

export const native = loadNative();

export const NAME = 'org.chromium.PatchPanel';
export const PATH = '/org/chromium/PatchPanel';
export const CALL = { destination: NAME, path: PATH, interface: NAME } as const;

const SPEC = {
  name: NAME,
  methods: [
    {
      name: 'Connect',
      in: [
        { name: 'request', type: 'ay' },
        { name: 'lifeline', type: 'h' },
      ],
      out: [{ name: 'response', type: 'ay' }],
    },
    { name: 'Echo', in: [{ name: 'request', type: 'ay' }], out: [{ name: 'response', type: 'ay' }] },
    { name: 'Pipe', in: [], out: [{ name: 'end', type: 'h' }] },
    {
      name: 'WhoAmI',
      in: [],
      out: [
        { name: 'pid', type: 'u' },
        { name: 'unique_name', type: 's' },
      ],
    },
    { name: 'Refuse', in: [], out: [] },
  ],
  signals: [{ name: 'Changed', args: [{ name: 'device', type: 'ay' }] }],
} as const satisfies InterfaceSpec;

/** A dbus-daemon with a service on it that serves `SPEC` as `NAME`, and a client, all over the addon. */
export class BusLab {
  readonly #openBefore = openFds();
  readonly #connected: Bus[] = []; // BOUNDED: by the test
  readonly #others: PrivateBus[] = []; // BOUNDED: by the test

  private constructor(readonly daemon: PrivateBus) {}

  /** The service and the client are the first two connections. */
  static async start(): Promise<{ lab: BusLab; service: Bus; client: Bus }> {
    const denied = '<policy context="default"><deny own="org.denied.Name"/></policy>';
    const lab = new BusLab(await startPrivateBus({ config: denied }));
    const service = await lab.connect();
    service.serve(PATH, SPEC, handlers(service));
    await service.requestName(NAME);
    return { lab, service, client: await lab.connect() };
  }

  async connect(address = this.daemon.address): Promise<Bus> {
    const bus = await connectBus({ native, clock: realClock, log: new MemoryLog(), address });
    this.#connected.push(bus);
    return bus;
  }

  /** A second daemon, to be crashed. */
  async startAnother(): Promise<PrivateBus> {
    const other = await startPrivateBus();
    this.#others.push(other);
    return other;
  }

  /** Throws when a descriptor stays open. */
  async stop(): Promise<void> {
    for (const bus of this.#connected) bus.close();
    for (const daemon of [this.daemon, ...this.#others]) await daemon.stop();
    await until('all descriptors to be closed', () => openFds() <= this.#openBefore);
  }
}

/** How many descriptors this process has open. */
export function openFds(): number {
  return readdirSync('/proc/self/fd').length;
}

/** What tells one pipe from another. */
export function identity(fd: number): Uint8Array {
  const { dev, ino } = native.fdIdentity(fd);
  return Buffer.from(`${dev}:${ino}`);
}

function handlers(service: Bus): Handlers<typeof SPEC> {
  return {
    Connect: async (call) => {
      const fd = call.takeFd(0);
      await new Promise((resolve) => setImmediate(resolve));
      const body = [identity(fd)];
      native.closeFd(fd);
      return { body };
    },
    Echo: ({ body }) => ({ body }),
    Pipe: () => {
      const [readEnd, writeEnd] = native.pipe();
      native.closeFd(writeEnd);
      return { body: [0], fds: [readEnd] };
    },
    WhoAmI: async ({ sender }) => {
      const credentials = await service.credentials(sender);
      return { body: [credentials.ok ? credentials.value.pid : 0, sender] };
    },
    Refuse: () => {
      throw new DBusError('x.y.Refused', 'no');
    },
  };
}
