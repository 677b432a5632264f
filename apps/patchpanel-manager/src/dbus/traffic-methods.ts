import { accept, refuse, seconds, type Refusal } from '@pp/base';
import { DBUS_ERROR, DBusError, type Bus } from '@pp/dbus';
import { decodeStrict } from '@pp/proto';
import type { SomeApiMethods } from './service';

/** Where the service `counters` answers (proto/counters.proto). */
const COUNTERS = {
  destination: 'org.chromium.PatchPanel.Counters',
  path: '/org/chromium/PatchPanel/Counters',
  interface: 'org.chromium.PatchPanel.Counters1',
} as const;

const PATIENCE = seconds(10);
const NOBODY: readonly string[] = [DBUS_ERROR.nameHasNoOwner, 'org.freedesktop.DBus.Error.ServiceUnknown'];

/** GetTrafficCounters is the work of another service, which may be restarted on its own: the request is checked here and passed on. */
export function trafficMethods(bus: Pick<Bus, 'call'>): SomeApiMethods<'GetTrafficCounters'> {
  return {
    GetTrafficCounters: async ({ body }) => {
      const request = decodeStrict('TrafficCountersRequest', body);
      if (!request.ok) return request;
      try {
        const call = { ...COUNTERS, member: 'GetTrafficCounters', signature: 'ay', body: [body] };
        const reply = await bus.call({ ...call, timeout: PATIENCE });
        return reply.signature === 'ay'
          ? accept(reply.body[0] as Uint8Array)
          : refuse('Failed', `counters answered with the types '${reply.signature}'; is it of this release?`);
      } catch (fault) {
        return refusal(fault);
      }
    },
  };
}

function refusal(fault: unknown): Refusal {
  if (!(fault instanceof DBusError)) throw fault;
  return refuse(
    'Failed',
    NOBODY.includes(fault.name)
      ? 'nobody counts traffic: the service counters is not running; start it'
      : `counters refused: ${fault.message}`,
  );
}
