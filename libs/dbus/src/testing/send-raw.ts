import { Connection } from '../connection';
import { connectUnixStream, type StreamDoor } from '../native-stream';
import { encodeMessage } from '../wire/encode';

const HELLO = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
} as const;

/**
 * Sends bytes of any kind after Hello; resolves with the name of the first error reply. Hello is waited for: what comes right behind
 * the handshake dbus-daemon reads without looking for descriptors, and they are lost.
 */
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
        if (header.type === 'return') connection.send(bytes, fds);
        if (header.type !== 'error') return;
        connection.close();
        resolve(header.errorName);
      },
    });
    connection.closed.then(reject, reject);
    connection.authenticated.then(() => {
      connection.send(encodeMessage({ type: 'call', ...HELLO }, 1), []);
    }, reject);
  });
}
