export * from './file-journal';
export * from './record-log';
export { FleetMeter, type FleetMeterParts, type MeterStatus } from './fleet/fleet-meter';
export type { Reading } from './fleet/meter-journal';
export * from './open-store';
export * from './state-store';
export * from './store-address';
