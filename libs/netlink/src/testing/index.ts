export * from './answers';
export * from './hex';
export * from './kernel';
export * from './scripted-links';
export * from './scripted-socket';
