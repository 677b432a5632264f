export * from './desired';
export * from './kernel';
export * from './op';
export * from './tags';
