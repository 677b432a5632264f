import { DBusError, type Bus, type MethodHandler } from '@pp/dbus';
import type { CounterService } from '../counter-service';
import type { Fleet } from '../fleet';
import { getTraffic, getTrafficCounters, type Method } from './methods';
import { COUNTERS, ERROR_PREFIX, PATH } from './spec';

/** Serves org.chromium.PatchPanel.Counters1 until the returned function is called. The bus policy says who may ask. */
export const serveCounters = (
  bus: Pick<Bus, 'serve'>,
  service: CounterService,
  fleet: Fleet | null = null,
): (() => void) =>
  bus.serve(PATH, COUNTERS, {
    GetTrafficCounters: handler(getTrafficCounters(service)),
    GetTraffic: handler(getTraffic(service, fleet)),
  });

function handler(method: Method): MethodHandler {
  return async ({ body }) => {
    const answer = await method(body[0] as Uint8Array);
    if (!answer.ok) throw new DBusError(`${ERROR_PREFIX}.${answer.reason}`, answer.sentence);
    return { body: [answer.value] };
  };
}
