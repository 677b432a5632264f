export * from './fake-kernel';
export type { ForeignLink } from './fake-net';
export * from './random-desired';
export * from './shapes';
export * from './want-dump';
