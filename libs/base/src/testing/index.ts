export * from './memory-log';
export * from './seeded-random';
export * from './virtual-clock';
