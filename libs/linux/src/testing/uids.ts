import { readFileSync } from 'node:fs';

/** A uid that is not ours; ours where there is no other (`unshare -Ur`, user_namespaces(7)). */
export const OTHER_UID = isMapped(4321) ? 4321 : 0;

function isMapped(uid: number): boolean {
  return readFileSync('/proc/self/uid_map', 'latin1')
    .trim()
    .split('\n')
    .some((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return uid >= first && uid < first + count;
    });
}
