export * from './hex';
export * from './prefixes';
export * from './captured';
