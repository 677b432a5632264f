import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveMetrics } from './server';

let directory = '';
let path = '';
let server: { close(): void } | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pp-metrics-'));
  path = join(directory, 'counters.metrics');
});
afterEach(() => {
  server?.close();
  rmSync(directory, { recursive: true });
});

const serve = async (text: () => Promise<string>): Promise<void> => {
  server = await serveMetrics({ kind: 'unix', path }, text);
};

const ask = (method: string, url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, method, path: url, agent: false }, (response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => (body += bytes.toString()));
      response.on('end', () => {
        resolve(`${response.statusCode ?? 0} ${body}`);
      });
    });
    asked.on('error', reject);
    asked.end();
  });

test.each([
  { method: 'GET', url: '/metrics', want: '200 up 1\n' },
  { method: 'HEAD', url: '/metrics', want: '200 ' },
  { method: 'POST', url: '/metrics', want: '405 only GET\n' },
  { method: 'GET', url: '/', want: '404 there is /metrics\n' },
  { method: 'GET', url: '/metrics/../secret', want: '404 there is /metrics\n' },
])('$method $url', async ({ method, url, want }) => {
  await serve(() => Promise.resolve('up 1\n'));
  expect(await ask(method, url)).toBe(want);
});

test('what cannot be told is 503 with the reason, and the next one is answered', async () => {
  let fault: Error | null = new Error('the kernel does not tell', { cause: new Error('EPERM') });
  await serve(() => (fault === null ? Promise.resolve('up 1\n') : Promise.reject(fault)));
  expect(await ask('GET', '/metrics')).toBe('503 the kernel does not tell: EPERM\n');
  fault = null;
  expect(await ask('GET', '/metrics')).toBe('200 up 1\n');
});

test('a file of an earlier run is replaced, others may not ask, and nothing is left', async () => {
  writeFileSync(path, 'stale');
  await serve(() => Promise.resolve(''));
  expect(statSync(path).mode & 0o777).toBe(0o660);
  server?.close();
  expect(readdirSync(directory)).toEqual([]);
});

test('clients that say nothing, or no HTTP, or go away, harm nobody; one beyond the limit is closed at once', async () => {
  await serve(() => Promise.resolve('up 1\n'));
  const silent = await Promise.all(Array.from({ length: 16 }, opened));
  const beyond = await opened();
  await closed(beyond);
  const [rude, gone, ...others] = silent;
  rude?.write('\x16\x03\x01 this is no HTTP\r\n\r\n');
  gone?.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
  gone?.destroy();
  for (const each of others) each.destroy();
  await Promise.all(silent.map(closed));
  let answer = 'ECONNRESET'; // as long as the server has not seen that they are gone
  while (/^E(CONNRESET|PIPE)$/.test(answer))
    answer = await ask('GET', '/metrics').catch((fault: unknown) =>
      String((fault as NodeJS.ErrnoException).code),
    );
  expect(answer).toBe('200 up 1\n');
});

const opened = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      resolve(socket);
    });
    socket.on('error', reject);
    socket.resume();
  });

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    socket.once('close', () => {
      resolve();
    });
  });
