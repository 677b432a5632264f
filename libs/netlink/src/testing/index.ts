export * from './answers';
export * from './hex';
export * from './scripted-links';
export * from './scripted-socket';
