export * from './api';
export { AddonLoadError, type LoadOptions, loadNative } from './load';
