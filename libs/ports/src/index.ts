export * from './descriptors';
export * from './journal';
export * from './network-news';
export * from './process-netns';
