export * from './counter-table';
export * from './descriptors';
export * from './interface-news';
export * from './journal';
export * from './neighbor-doors';
export * from './network-news';
export * from './packet-port';
export * from './process-netns';
