import type { Bus } from '@pp/dbus';
import { deviceChange, devicesOf, type Device } from '../domain/devices';
import type { World } from '../domain/world';
import type { Observer } from '../reconciler';
import { API, PATH } from './spec';
import { deviceChangedToProto } from './to-proto';

/**
 * Tells the bus of guest devices: REMOVED while the interface still exists, ADDED when all of it is there. Between `leaving` and
 * `arrived` the world is still the old one, but what leaves is told already, so it must not be in an answer either.
 */
export class DeviceFeed implements Observer {
  readonly #bus: Pick<Bus, 'emitSignal'>;
  /** Texts of the devices that leave right now. */
  #leaving: ReadonlySet<string> = new Set();

  constructor(bus: Pick<Bus, 'emitSignal'>) {
    this.#bus = bus;
  }

  /** As the signals have it. */
  devices(world: World): readonly Device[] {
    return devicesOf(world).filter((device) => !this.#leaving.has(JSON.stringify(device)));
  }

  leaving(from: World, to: World): void {
    const { removed } = deviceChange(from, to);
    this.#leaving = new Set(removed.map((device) => JSON.stringify(device)));
    for (const device of removed) this.#tell(deviceChangedToProto('DEVICE_REMOVED', device));
  }

  arrived(from: World, to: World): void {
    this.#leaving = new Set();
    for (const device of deviceChange(from, to).added)
      this.#tell(deviceChangedToProto('DEVICE_ADDED', device));
  }

  #tell(signal: Uint8Array): void {
    const member = { path: PATH, interface: API.name, member: 'NetworkDeviceChanged' };
    this.#bus.emitSignal({ ...member, signature: 'ay', body: [signal] });
  }
}
