export * from './fake-kernel';
export type { ForeignLink } from './fake-net';
