import type { Native, NativeError, StreamHandle, StreamOptions } from '@pp/native';
import type { ByteStream, ByteStreamEvents } from './byte-stream';

/** What this library needs of the addon. */
export type StreamDoor = Pick<Native, 'connectUnix' | 'closeFd'>;

/** How the kernel says that the peer closed: while bytes of ours were unread, or before we wrote. */
const PEER_CLOSED: readonly string[] = ['ECONNRESET', 'EPIPE'];

/** A `ByteStream` on the addon's UNIX stream; throws NativeError when nobody listens at `path`. */
export const connectUnixStream = (native: StreamDoor, path: string, events: ByteStreamEvents): ByteStream =>
  byteStream(events, (options) => native.connectUnix(path, options));

/** A `ByteStream` on what `open` opens. */
export function byteStream(
  events: ByteStreamEvents,
  open: (options: StreamOptions) => StreamHandle,
): ByteStream {
  const onError = (error: NativeError): void => {
    if (PEER_CLOSED.includes(error.code)) events.onEnd();
    else events.onError(error);
  };
  const handle = open({ ...events, onError });
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
