export { forwardingClient, type ForwardingClient, type ForwardingClientOptions } from './client';
export type { Neighbor } from './neighbor-reports';
export type { Forwarding, ForwardingArc, ForwardingDelta, ForwardingPair } from './view';
