import type { Native, StreamHandle } from '@pp/native';
import type { ByteStream, ByteStreamEvents } from './byte-stream';

/** What this library needs of the addon. */
export type StreamDoor = Pick<Native, 'connectUnix' | 'closeFd'>;

/** A `ByteStream` on the addon's UNIX stream; throws NativeError when nobody listens at `path`. */
export function connectUnixStream(native: StreamDoor, path: string, events: ByteStreamEvents): ByteStream {
  const handle: StreamHandle = native.connectUnix(path, events);
  return {
    write: (data, fds) => handle.write(data, fds),
    pause: () => {
      handle.pause();
    },
    resume: () => {
      handle.resume();
    },
    close: () => {
      handle.close();
    },
  };
}
