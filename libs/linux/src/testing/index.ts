export * from './kernel-contract';
export * from './ops';
export * from './system-clock';
export * from './test-host';
export * from './uids';
export * from './with-free';
