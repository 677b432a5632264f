export * from './kernel-contract';
export * from './ops';
export * from './test-host';
export * from './uids';
