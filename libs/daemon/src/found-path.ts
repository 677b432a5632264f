import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a client finds what a service has made in its state directory: a service that systemd starts as a user of its own has a directory of
 * its own below (RuntimeDirectory=patchpanel/APP).
 */
export function foundPath(
  stateDir: string,
  app: string,
  pathIn: (directory: string, app: string) => string,
): string {
  const path = pathIn(stateDir, app);
  const below = pathIn(join(stateDir, app), app);
  return !existsSync(path) && existsSync(below) ? below : path;
}
