import { MemoryLog } from '@pp/base/testing';
import { systemClock } from '@pp/daemon';
import { connectBus, Variant, type Bus, type InterfaceSpec } from '@pp/dbus';
import { loadNative } from '@pp/native';

const NAME = 'org.chromium.flimflam';

export interface SmallDevice {
  readonly ifname: string;
  readonly type: string;
  /** Of its IPConfig; null: it has none. */
  readonly gateway: string | null;
  /** Of its IPConfig; absent: none. */
  readonly nameservers?: readonly string[];
}

export interface SmallService {
  /** ifname of a device, which need not be in the list of devices (a VPN's is not). */
  readonly device: string;
  readonly type: string;
  readonly connected: boolean;
}

/** As much of shill as the manager looks at (spec/patchpanel.md 12), on a bus of the lab; what it says is set from outside. */
export class SmallShill {
  readonly #bus: Bus;
  readonly #served = new Set<string>();
  #devices: readonly SmallDevice[] = [];
  #services: readonly SmallService[] = [];

  private constructor(bus: Bus) {
    this.#bus = bus;
  }

  static async open(address: string): Promise<SmallShill> {
    const options = { native: loadNative(), clock: systemClock, log: new MemoryLog(), address };
    const shill = new SmallShill(await connectBus(options));
    shill.#serve('/', 'Manager', () => [
      [
        'Devices',
        new Variant(
          'ao',
          shill.#devices.map(({ ifname }) => `/device/${ifname}`),
        ),
      ],
      [
        'Services',
        new Variant(
          'ao',
          shill.#services.map((_, index) => `/service/${index}`),
        ),
      ],
    ]);
    return shill;
  }

  /** It appears on the bus. */
  async start(): Promise<void> {
    await this.#bus.requestName(NAME);
  }

  /** What holds from now on; the manager is told by the signals that shill sends. */
  set(devices: readonly SmallDevice[], services: readonly SmallService[]): void {
    [this.#devices, this.#services] = [devices, services];
    for (const { ifname } of devices) this.#serveDevice(ifname);
    for (const { device } of services) this.#serveDevice(device);
    for (const index of services.keys()) this.#serveService(index);
    for (const name of ['Devices', 'Services']) this.#changed(name);
  }

  close(): void {
    this.#bus.close();
  }

  #serveDevice(ifname: string): void {
    const own = (): SmallDevice | undefined => this.#devices.find((device) => device.ifname === ifname);
    const configs = (): readonly string[] => (own()?.gateway ? [`/config/${ifname}`] : []);
    this.#serve(`/device/${ifname}`, 'Device', () => [
      ['Interface', new Variant('s', ifname)],
      ['Type', new Variant('s', own()?.type ?? 'tunnel')],
      ['IPConfigs', new Variant('ao', configs())],
    ]);
    this.#serve(`/config/${ifname}`, 'IPConfig', () => [
      ['Method', new Variant('s', 'dhcp')],
      ['Address', new Variant('s', '192.0.2.10')],
      ['Prefixlen', new Variant('i', 24)],
      ['Gateway', new Variant('s', own()?.gateway ?? '')],
      ['NameServers', new Variant('as', own()?.nameservers ?? [])],
    ]);
  }

  #serveService(index: number): void {
    const own = (): SmallService | undefined => this.#services[index];
    this.#serve(`/service/${index}`, 'Service', () => [
      ['Device', new Variant('o', `/device/${own()?.device ?? 'none'}`)],
      ['IsConnected', new Variant('b', own()?.connected ?? false)],
      ['Type', new Variant('s', own()?.type ?? '')],
    ]);
  }

  #serve(path: string, name: string, properties: () => readonly (readonly [string, Variant])[]): void {
    if (this.#served.has(path)) return;
    this.#served.add(path);
    const spec = {
      name: `${NAME}.${name}`,
      methods: [{ name: 'GetProperties', in: [], out: [{ name: 'properties', type: 'a{sv}' }] }],
      signals: [
        {
          name: 'PropertyChanged',
          args: [
            { name: 'name', type: 's' },
            { name: 'value', type: 'v' },
          ],
        },
      ],
    } as const satisfies InterfaceSpec;
    this.#bus.serve(path, spec, { GetProperties: () => Promise.resolve({ body: [new Map(properties())] }) });
  }

  #changed(name: string): void {
    this.#bus.emitSignal({
      path: '/',
      interface: `${NAME}.Manager`,
      member: 'PropertyChanged',
      signature: 'sv',
      body: [name, new Variant('ao', [])],
    });
  }
}
