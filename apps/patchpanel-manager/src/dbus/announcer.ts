import type { Bus } from '@pp/dbus';
import { deviceChange } from '../domain/devices';
import type { Observer } from '../reconciler';
import { API, PATH } from './spec';
import { deviceChangedToProto } from './to-proto';

/** Tells the bus of guest devices: REMOVED while the interface still exists, ADDED when all of it is there. */
export function announcer(bus: Pick<Bus, 'emitSignal'>): Observer {
  const tell = (body: Uint8Array): void => {
    bus.emitSignal({
      path: PATH,
      interface: API.name,
      member: 'NetworkDeviceChanged',
      signature: 'ay',
      body: [body],
    });
  };
  return {
    leaving: (from, to) => {
      for (const device of deviceChange(from, to).removed)
        tell(deviceChangedToProto('DEVICE_REMOVED', device));
    },
    arrived: (from, to) => {
      for (const device of deviceChange(from, to).added) tell(deviceChangedToProto('DEVICE_ADDED', device));
    },
  };
}
