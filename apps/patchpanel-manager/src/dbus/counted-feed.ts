import type { Bus } from '@pp/dbus';
import { encode } from '@pp/proto';
import { isCountedChanged } from '../domain/counted';
import type { Observer } from '../reconciler';
import { FORWARDING, PATH } from './spec';

/** Tells counters to ask again (proto/counters.proto). */
export function countedFeed(bus: Pick<Bus, 'emitSignal'>): Observer {
  const signal = { path: PATH, interface: FORWARDING.name, member: 'CountedChanged', signature: 'ay' };
  return {
    leaving: () => undefined,
    arrived: (from, to) => {
      if (isCountedChanged(from, to)) bus.emitSignal({ ...signal, body: [encode('CountedChanged', {})] });
    },
  };
}
