import { accept } from '@pp/base';
import { decodeStrict } from '@pp/proto';
import type { Device } from '../domain/devices';
import type { SomeApiMethods } from './service';
import { devicesToProto } from './to-proto';

/** GetDevices. `devices`: what the signals before the answer have told, no more and no less. */
export const deviceMethods = (devices: () => readonly Device[]): SomeApiMethods<'GetDevices'> => ({
  GetDevices: ({ body }) => {
    const request = decodeStrict('GetDevicesRequest', body);
    return Promise.resolve(request.ok ? accept(() => devicesToProto(devices())) : request);
  },
});
