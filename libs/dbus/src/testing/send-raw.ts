import { Connection } from '../connection';
import { connectUnixStream, type StreamDoor } from '../native-stream';
import { encodeMessage } from '../wire/encode';

const HELLO = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
} as const;

/** Sends bytes of any kind as a second message after Hello; resolves with the name of the first error reply. */
export function sendRaw(
  native: StreamDoor,
  address: string,
  bytes: Uint8Array,
  fds: readonly number[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = new Connection({
      peer: 'the bus',
      open: (events) => connectUnixStream(native, address.replace('unix:path=', ''), events),
      closeFd: (fd) => {
        native.closeFd(fd);
      },
      uid: process.geteuid?.() ?? 0,
      guid: undefined,
      onDropped: reject,
      onMessage: ({ header, fds: received }) => {
        received.close();
        if (header.type !== 'error') return;
        connection.close();
        resolve(header.errorName);
      },
    });
    connection.closed.then(reject, reject);
    connection.authenticated.then(() => {
      connection.send(encodeMessage({ type: 'call', serial: 1, ...HELLO }), []);
      connection.send(bytes, fds);
    }, reject);
  });
}
