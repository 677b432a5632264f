import { millis, type Cancel, type Clock, type Logger } from '@pp/base';
import type { Bus } from '@pp/dbus';
import type { ManagedNetwork, NetworkNews, NetworkView } from '@pp/ports';
import { managedNetwork } from './shill-network';
import { readShill, SHILL } from './shill-reader';

export interface ShillNewsParts {
  readonly bus: Pick<Bus, 'call' | 'subscribe' | 'watchName'>;
  /** The kernel's own view, to which shill's is added. */
  readonly kernel: NetworkNews;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What belongs together comes within this time. */
const GATHERING = millis(10);
const NOTHING: ManagedNetwork = { uplinks: [], best: [] };
/** Manager: Devices, Services, DefaultService, ConnectionState. Device: IPConfigs. Service: what tells whether it is a default. IPConfig: all that is read. */
const OF_INTEREST = new Set([
  ...['Devices', 'Services', 'DefaultService', 'ConnectionState'],
  ...['IPConfigs', 'IsConnected', 'Device', 'Interface', 'Type'],
  ...['Method', 'Address', 'Prefixlen', 'Gateway', 'NameServers'],
]);

/** The host's network with shill's word on what is an uplink (spec/patchpanel.md 12). All of shill is read after each change of it. */
export class ShillNews implements NetworkNews {
  readonly #parts: ShillNewsParts;
  #view: NetworkView | null = null;
  /** null: not read yet. */
  #managed: ManagedNetwork | null = null;
  #gathering: Cancel | null = null;
  #reading = false;
  /** How often a reading was asked for. */
  #asked = 0;
  #onView: (view: NetworkView) => void = () => undefined;

  constructor(parts: ShillNewsParts) {
    this.#parts = parts;
  }

  /** Defaults are computed now, not at the first change. Without shill there is no uplink until it comes. */
  async start(onView: (view: NetworkView) => void): Promise<void> {
    const { bus, kernel } = this.#parts;
    this.#onView = onView;
    await bus.subscribe({ sender: SHILL, member: 'PropertyChanged' }, ({ body: [name] }) => {
      if (typeof name === 'string' && OF_INTEREST.has(name)) this.#gather();
    });
    await bus.watchName(SHILL, () => {
      this.#gather();
    });
    await this.#read();
    await kernel.start((view) => {
      this.#view = view;
      this.#tell();
    });
  }

  close(): void {
    this.#gathering?.();
    this.#parts.kernel.close();
  }

  #gather(): void {
    this.#gathering ??= this.#parts.clock.after('shill.gather', GATHERING, () => {
      this.#gathering = null;
      void this.#read();
    });
  }

  /** One reading at a time: a later answer must not be overtaken by an earlier one. */
  async #read(): Promise<void> {
    this.#asked += 1;
    if (this.#reading) return;
    this.#reading = true;
    for (let answered = 0; answered !== this.#asked;) {
      answered = this.#asked;
      const state = await readShill(this.#parts.bus);
      if (state === null && this.#managed !== NOTHING) this.#parts.log.info('shill.awaited');
      this.#managed = state === null ? NOTHING : managedNetwork(state);
    }
    this.#reading = false;
    this.#tell();
  }

  #tell(): void {
    if (this.#view !== null && this.#managed !== null)
      this.#onView({ ...this.#view, managed: this.#managed });
  }
}
