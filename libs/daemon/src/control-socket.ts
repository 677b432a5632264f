import { chmodSync, rmSync } from 'node:fs';
import { serveUnix, type UnixClient, type UnixServing } from './unix-server';

const MAX_CLIENTS = 8;
const MAX_REQUEST_BYTES = 4096;

export const controlPath = (stateDir: string, app: string): string => `${stateDir}/${app}.control`;

/** Who asks at the control socket: one line from them, any number of lines to them. */
export interface ControlClient {
  /** Lost when the client reads too slowly. */
  tell(line: string): void;
  /** The last line. One that begins with "error " is what the client fails with. */
  end(line: string): void;
  onGone(done: () => void): void;
}

export interface ControlSocket {
  close(): void;
}

/**
 * Serves requests of root, one line each. The status socket has made sure that nobody else serves in this directory, so what lies at
 * `path` is a dead one's.
 */
export function openControlSocket(
  serving: UnixServing,
  path: string,
  answer: (line: string, client: ControlClient) => void,
): ControlSocket {
  rmSync(path, { force: true });
  const server = serveUnix(serving, path, MAX_CLIENTS, (client) => {
    onLine(client, (line) => {
      answer(line, clientOf(client));
    });
  });
  chmodSync(path, 0o600);
  return {
    close: () => {
      server.close();
      rmSync(path, { force: true });
    },
  };
}

const clientOf = (client: UnixClient): ControlClient => ({
  tell: (line) => {
    if (!client.isFull) client.write(`${line}\n`);
  },
  end: (line) => {
    client.end(`${line}\n`);
  },
  onGone: (done) => {
    client.onGone(done);
  },
});

/** The first line; what is longer than a request can be is not listened to. */
function onLine(client: UnixClient, take: (line: string) => void): void {
  let text = '';
  client.onText = (part) => {
    text += part;
    const end = text.indexOf('\n');
    if (end < 0 && text.length > MAX_REQUEST_BYTES) client.close();
    if (end < 0) return;
    client.onText = () => undefined;
    take(text.slice(0, end));
  };
}
