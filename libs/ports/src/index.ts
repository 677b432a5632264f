export * from './journal';
export * from './network-news';
