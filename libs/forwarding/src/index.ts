export { forwardingClient, type ForwardingClient, type ForwardingClientOptions } from './client';
export { FORWARDING, HELPERS, helpersOn, SERVICE } from './service';
export type { Neighbor } from './neighbor-reports';
export type { Forwarding, ForwardingArc, ForwardingDelta, ForwardingPair, ForwardingPort } from './view';
