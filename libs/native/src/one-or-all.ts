import type { OneOrAll } from './raw';

export const oneOrAll = <T>(all: readonly T[]): OneOrAll<T> => (all.length === 1 ? (all[0] ?? all) : all);
