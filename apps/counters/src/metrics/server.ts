import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { causeChain } from '@pp/base';
import { errnoOf, ExitCode, Refused } from '@pp/daemon';

/** Where metrics are asked for. */
export type MetricsPlace =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const MAX_CLIENTS = 16;
const CLIENT_TIMEOUT_MS = 5000;
/** root and the service's group may ask. */
const SOCKET_MODE = 0o660;

/** Answers GET /metrics until closed. Rejects with Refused where the place cannot be had. `text` may reject: that is a 503. */
export async function serveMetrics(
  place: MetricsPlace,
  text: () => Promise<string>,
): Promise<{ close(): void }> {
  const server = createServer({ requestTimeout: CLIENT_TIMEOUT_MS }, (request, response) => {
    void answer(request, response, text);
  });
  server.maxConnections = MAX_CLIENTS;
  server.setTimeout(CLIENT_TIMEOUT_MS);
  // The status socket has made sure that nobody else serves in this directory.
  if (place.kind === 'unix') rmSync(place.path, { force: true });
  await listen(server, place);
  if (place.kind === 'unix') chmodSync(place.path, SOCKET_MODE);
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
      if (place.kind === 'unix') rmSync(place.path, { force: true });
    },
  };
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  text: () => Promise<string>,
): Promise<void> {
  if (url !== '/metrics') end(response, 404, 'there is /metrics\n');
  else if (method !== 'GET' && method !== 'HEAD') end(response, 405, 'only GET\n');
  else
    await text().then(
      (body) => {
        end(response, 200, body);
      },
      (fault: unknown) => {
        end(response, 503, `${causeChain(fault)}\n`);
      },
    );
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(body);
}

function listen(server: Server, place: MetricsPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (fault) => {
      reject(refusal(place, fault));
    });
    if (place.kind === 'unix') server.listen(place.path, resolve);
    else server.listen(place.port, place.host, resolve);
  });
}

function refusal(place: MetricsPlace, fault: Error): Refused {
  const where = place.kind === 'unix' ? place.path : `${place.host}:${place.port}`;
  const code = errnoOf(fault) ?? fault.message;
  return new Refused(ExitCode.failed, `metrics cannot be served at ${where} (${code})`, {
    advice: code === 'EADDRINUSE' ? 'choose a port that is free' : 'choose another address of this host',
    cause: fault,
  });
}
