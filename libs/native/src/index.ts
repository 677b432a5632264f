export * from './api';
export * from './relay-api';
export { AddonLoadError, type LoadOptions, loadNative } from './load';
