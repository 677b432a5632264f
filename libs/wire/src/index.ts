export * from './addr/ipv4';
export * from './addr/ipv6';
export * from './addr/mac';
export * from './addr/prefix';
