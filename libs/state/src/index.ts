export * from './file-journal';
export * from './record-log';
