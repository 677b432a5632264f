export * from './fake-descriptors';
export * from './fake-neighbor-doors';
export * from './journal-contract';
export * from './memory-journal';
export * from './packet-lan';
export * from './scripted-interfaces';
export * from './scripted-news';
