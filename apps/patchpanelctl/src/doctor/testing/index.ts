export * from './fault-row';
export * from './fault-rows';
