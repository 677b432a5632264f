export * from './journal-contract';
export * from './memory-journal';
