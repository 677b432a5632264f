import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { ipv6ToBytes } from '@pp/wire';
import type { GroupRegistry } from '../groups/registry';
import type { Traced } from '../group-runner';
import { requestFromLine, runGroupVerb, type Request } from './request';
import { traceLine } from './trace-line';

const MAX_CLIENTS = 8;
const MAX_REQUEST_BYTES = 4096;
/** A tracer that reads slower than this loses lines. */
const MAX_UNREAD_BYTES = 1 << 20;

export const controlPath = (stateDir: string): string => `${stateDir}/ndproxy.control`;

/** Where frames can be watched. */
export interface TraceSource {
  tracer: ((traced: Traced) => void) | null;
}

/** Serves `ndproxy trace` and `ndproxy group` to root. The status socket has made sure that nobody else serves in this directory. */
export async function openControl(
  path: string,
  source: TraceSource,
  registry: GroupRegistry,
): Promise<{ close(): void }> {
  const watchers = new Map<Socket, Uint8Array>(); // BOUNDED: MAX_CLIENTS
  const server = createServer((client) => {
    client.on('error', () => undefined); // it went away
    client.on('close', () => {
      watchers.delete(client);
      if (watchers.size === 0) source.tracer = null;
    });
    onLine(client, (line) => {
      answer(client, requestFromLine(line), registry, (address) => {
        watchers.set(client, address);
        source.tracer = tell;
      });
    });
  });
  const tell = (traced: Traced): void => {
    for (const [client, address] of watchers) {
      const line = traceLine(traced, address);
      if (line !== null && client.writableLength < MAX_UNREAD_BYTES) client.write(`${line}\n`);
    }
  };
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
      for (const client of watchers.keys()) client.destroy();
      rmSync(path, { force: true });
    },
  };
}

function answer(
  client: Socket,
  request: ReturnType<typeof requestFromLine>,
  registry: GroupRegistry,
  watch: (address: Uint8Array) => void,
): void {
  if (!request.ok) client.end(`error ${request.sentence}\n`);
  else if (request.value.do === 'trace') watch(ipv6ToBytes(request.value.address));
  else client.end(`${groupAnswer(registry, request.value)}\n`);
}

function groupAnswer(registry: GroupRegistry, { verb, args }: Extract<Request, { do: 'group' }>): string {
  const status = runGroupVerb(registry, verb, args);
  return status.isOk ? 'OK' : `error ${status.toString()}`;
}

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
