export * from './descriptors';
export * from './journal';
export * from './network-news';
export * from './packet-port';
export * from './process-netns';
