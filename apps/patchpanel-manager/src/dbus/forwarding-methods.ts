import { accept, type Checked } from '@pp/base';
import { decodeStrict, encode } from '@pp/proto';
import { countedOf } from '../domain/counted';
import type { Decision } from '../domain/decision';
import type { World } from '../domain/world';
import type { Reconciler } from '../reconciler';
import { neighborDetected, neighborLost, type NeighborEvent } from '../usecases/neighbor-events';
import type { ApiMethod } from './api';
import type { ForwardingMethods } from './service';

/** The methods for helpers (proto/forwarding.proto, proto/counters.proto); `stateOf` makes a ForwardingState. */
export function forwardingMethods(
  reconciler: Reconciler,
  stateOf: (world: World) => Uint8Array,
): ForwardingMethods {
  return {
    GetForwarding: ({ body }) => {
      const request = decodeStrict('GetForwardingRequest', body);
      return Promise.resolve(request.ok ? accept(stateOf(reconciler.world)) : request);
    },
    GetCounted: ({ body }) => {
      const request = decodeStrict('CountedRequest', body);
      return Promise.resolve(
        request.ok ? accept(encode('CountedState', countedOf(reconciler.world))) : request,
      );
    },
    NeighborDetected: neighborMethod(reconciler, 'neighbor.detected', neighborDetected),
    NeighborLost: neighborMethod(reconciler, 'neighbor.lost', neighborLost),
  };
}

function neighborMethod(
  reconciler: Reconciler,
  what: string,
  decide: (world: World, event: NeighborEvent) => Checked<Decision<null>>,
): ApiMethod {
  return async ({ body }) => {
    const event = decodeStrict('NeighborEvent', body);
    if (!event.ok) return event;
    const done = await reconciler.submit(what, (world) => decide(world, event.value));
    return done.ok ? accept(encode('NeighborResponse', {})) : done;
  };
}
