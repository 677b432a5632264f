/** What of the last run of the manager is still there: guests, and the lifelines of others that somebody kept for us. */
import type { Descriptors, ProcessNetns } from '@pp/ports';
import type { Guest } from './domain/guest';

/** A descriptor that outlived the last run of the manager, under the name that it was stored by. */
export interface KeptFd {
  readonly name: string;
  readonly fd: number;
}

/** Keeps descriptors over restarts (systemd's FD store). */
export interface FdStore {
  storeFd(name: string, fd: number): void;
  removeFd(name: string): void;
  inheritedFds(): readonly KeptFd[];
}

/** Name of a guest's lifeline in the FD store: no colon and no slash. */
export const storeName = (key: string): string => key.replaceAll('/', '-').replaceAll(':', '-');

/** VMs go on without us; a container if it is still the same process in the same namespace. */
export function outlives(guest: Guest, processNetns: ProcessNetns): boolean {
  if (guest.kind === 'namespace') return false; // by its lifeline only
  if (guest.kind !== 'arc' || guest.container === null) return true;
  const held = processNetns.open(guest.id);
  if (!held.ok) return false;
  const { inode, startTime } = held.value;
  held.value.close();
  return inode === guest.container.inode && startTime === guest.container.startTime;
}

/** Lifelines by key; a stored descriptor of none of `known`, or whose far end is gone, is closed and forgotten. */
export function keptLifelines(
  known: readonly string[],
  { fdStore, descriptors }: { readonly fdStore: FdStore; readonly descriptors: Descriptors },
): ReadonlyMap<string, number> {
  const keys = new Map(known.map((key) => [storeName(key), key]));
  const kept = new Map<string, number>();
  for (const { name, fd } of fdStore.inheritedFds()) {
    const key = keys.get(name);
    if (key !== undefined && !descriptors.isSignalled(fd)) {
      kept.set(key, fd);
    } else {
      descriptors.close(fd);
      fdStore.removeFd(name);
    }
  }
  return kept;
}
