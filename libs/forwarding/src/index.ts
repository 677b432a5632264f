export { claimFollowing, OwnWays } from './claim-ways';
export { forwardingClient, type ForwardingClient, type ForwardingClientOptions } from './client';
export { onlyOne } from './only-one';
export { FORWARDING, HELPERS, helpersOn, SERVICE } from './service';
export type { Neighbor } from './neighbor-reports';
export type { Forwarding, ForwardingArc, ForwardingDelta, ForwardingPair, ForwardingPort } from './view';
export type { Way } from './way';
