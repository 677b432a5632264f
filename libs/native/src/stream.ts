import type {
  StreamHandle,
  StreamNative,
  StreamOptions,
  UnixListener,
  UnixListenOptions,
} from './api/stream';
import type { Addon, Source } from './raw';

// SOCK_* of the kernel, the same on every architecture that we build for.
const SOCKET_TYPE = { stream: 1, datagram: 2, seqpacket: 5 } as const;

const BACKLOG = 511;

export function streamCalls(addon: Addon): StreamNative {
  const adopt = (fd: number, options: StreamOptions, connecting: boolean): StreamHandle =>
    streamHandle(addon, fd, openStream(addon, fd, options, connecting));

  /** Adopts an fd that nobody else knows of. */
  const adoptNew = (fd: number, options: StreamOptions, connecting: boolean): StreamHandle => {
    try {
      return adopt(fd, options, connecting);
    } catch (fault) {
      addon.closeFd(fd);
      throw fault;
    }
  };

  return {
    connectUnix: (path, options) => adoptNew(addon.connectUnix(path), options, false),
    adoptStream: (fd, options) => adopt(fd, options, false),
    connectVsock: (cid, port, options) => adoptNew(addon.connectVsock(cid, port), options, true),
    listenUnix: (path, options) => unixListener(addon, path, options),
    bindUnixDatagram: addon.bindUnixDatagram,
    sendUnixDatagram: (path, data, fds = []) => {
      addon.sendUnixDatagram(path, data, fds);
    },
    socketPair: (kind) => addon.socketPair(SOCKET_TYPE[kind]),
  };
}

function unixListener(
  addon: Addon,
  path: string,
  { onConnection, onError }: UnixListenOptions,
): UnixListener {
  const fd = addon.bindUnixStream(path);
  let listener: Source;
  try {
    listener = addon.unixListen(fd, BACKLOG, onConnection, onError);
  } catch (fault) {
    addon.closeFd(fd);
    throw fault;
  }
  return {
    pause: () => {
      addon.unixPause(listener, true);
    },
    resume: () => {
      addon.unixPause(listener, false);
    },
    close: () => {
      addon.close(listener);
    },
  };
}

function openStream(addon: Addon, fd: number, options: StreamOptions, connecting: boolean): Source {
  const { onData, onEnd, onError, onDrain, onConnect } = options;
  return addon.streamOpen(
    fd,
    connecting,
    (length, fds) => {
      onData(addon.scratch.subarray(0, length), fds);
    },
    onEnd,
    onError,
    onDrain,
    onConnect,
  );
}

function streamHandle(addon: Addon, fd: number, stream: Source): StreamHandle {
  return {
    fd,
    write: (data, fds = []) => addon.streamWrite(stream, data, fds),
    end: () => addon.streamEnd(stream),
    pause: () => {
      addon.streamPause(stream, true);
    },
    resume: () => {
      addon.streamPause(stream, false);
    },
    close: () => {
      addon.close(stream);
    },
  };
}
