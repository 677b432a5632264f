import { readFileSync } from 'node:fs';
import { errnoOf } from '@pp/daemon';
import { nameserversIn } from './domain/watched-neighbors';

/** The name servers in the resolv.conf(5) at `path`; none where it cannot be read: absent, or the directory that docker makes of a missing one. */
export function nameserversAt(path: string): readonly string[] {
  try {
    return nameserversIn(readFileSync(path, 'utf8'));
  } catch (fault) {
    if (errnoOf(fault) === undefined) throw fault;
    return [];
  }
}
