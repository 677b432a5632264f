import type { NetnsNative } from './api/netns';
import type { Addon } from './raw';

export function netnsCalls(addon: Addon): NetnsNative {
  return {
    openNetns: (of) => {
      if (of === 'current') return addon.netnsCurrent();
      return 'pid' in of ? addon.netnsOfPid(of.pid) : addon.netnsOfPath(of.path);
    },
    createNetns: addon.netnsCreate,
    nameNetns: addon.netnsName,
    unnameNetns: addon.netnsUnname,
    runInNetns: (fd, inside) => {
      const result = addon.netnsRun(fd, inside);
      // What an async function does after its first await happens in the thread's own namespace.
      if (isThenable(result)) throw new TypeError('runInNetns: the function must not be async');
      return result;
    },
  };
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
