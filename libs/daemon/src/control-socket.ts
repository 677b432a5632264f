import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

const MAX_CLIENTS = 8;
const MAX_REQUEST_BYTES = 4096;
/** A client that reads slower than this loses lines. */
const MAX_UNREAD_BYTES = 1 << 20;

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
export async function openControlSocket(
  path: string,
  answer: (line: string, client: ControlClient) => void,
): Promise<ControlSocket> {
  const clients = new Set<Socket>(); // BOUNDED: MAX_CLIENTS
  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => undefined); // it went away
    client.on('close', () => clients.delete(client));
    onLine(client, (line) => {
      answer(line, clientOf(client));
    });
  });
  server.maxConnections = MAX_CLIENTS;
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () => {
      server.close();
      for (const client of clients) client.destroy();
      rmSync(path, { force: true });
    },
  };
}

const clientOf = (socket: Socket): ControlClient => ({
  tell: (line) => {
    if (socket.writableLength < MAX_UNREAD_BYTES) socket.write(`${line}\n`);
  },
  end: (line) => socket.end(`${line}\n`),
  onGone: (done) => socket.on('close', done),
});

/** The first line; what is longer than a request can be is not listened to. */
function onLine(client: Socket, take: (line: string) => void): void {
  let text = '';
  const gather = (part: Buffer): void => {
    text += part.toString('utf8');
    const end = text.indexOf('\n');
    if (end < 0 && text.length > MAX_REQUEST_BYTES) client.destroy();
    if (end < 0) return;
    client.off('data', gather);
    client.resume();
    take(text.slice(0, end));
  };
  client.on('data', gather);
}
