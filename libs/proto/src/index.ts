export * from './codec';
export * from './gen/messages';
