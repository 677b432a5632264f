export { startPrivateBus, whyNoPrivateBus, type PrivateBus, type PrivateBusOptions } from './private-bus';
export { realClock } from './real-clock';
