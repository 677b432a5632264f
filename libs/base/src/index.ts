export * from './backoff';
export * from './bounded-map';
export * from './clock';
export * from './errors';
export * from './log';
export * from './result';
export * from './scope';
export * from './task';
