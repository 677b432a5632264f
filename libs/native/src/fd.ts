import type { FdNative, PollEvents } from './api/fd';
import type { Addon } from './raw';

export function fdCalls(addon: Addon): FdNative {
  const { closeFd, dupFd, pipe, fdKind, fdIdentity, getSocketOption, setSocketOption } = addon;
  const { pidfdOpen } = addon;
  return {
    errnoName: (errno) => addon.errnoName(errno) ?? `E${errno}`,
    closeFd,
    dupFd,
    pipe,
    fdKind,
    fdIdentity,
    watchFd: (fd, onEvents) => {
      const watch = addon.watchFd(fd, (bits) => {
        onEvents(pollEvents(bits));
      });
      return {
        close: () => {
          addon.close(watch);
        },
      };
    },
    pollFd: (fd) => pollEvents(addon.pollFd(fd)),
    getSocketOption,
    setSocketOption,
    pidfdOpen,
  };
}

/** The bits of pp_poll_bits (watch.c). */
function pollEvents(bits: number): PollEvents {
  return { readable: (bits & 1) !== 0, hangup: (bits & 2) !== 0, error: (bits & 4) !== 0 };
}
