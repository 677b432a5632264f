import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from './errno';

/** And those above it. Throws what node:fs throws; its own `recursive` never returns from /proc/x, where nothing can be made. */
export function makeDirectory(path: string): void {
  const parent = dirname(path);
  try {
    makeOne(path);
  } catch (fault) {
    if (errnoOf(fault) !== 'ENOENT' || parent === path) throw fault;
    makeDirectory(parent);
    makeOne(path);
  }
}

/** Or finds it made. */
function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (fault) {
    const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (errnoOf(fault) !== 'EEXIST' || !isThere) throw fault;
  }
}
