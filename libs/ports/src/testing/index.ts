export * from './fake-descriptors';
export * from './journal-contract';
export * from './memory-journal';
export * from './packet-lan';
export * from './scripted-news';
