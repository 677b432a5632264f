import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNative } from '@pp/native';
import { openControlSocket, type ControlClient, type ControlSocket } from './control-socket';
import { systemClock } from './system-clock';

const dir = mkdtempSync(join(tmpdir(), 'control-'));
const path = join(dir, 'control');
let server: ControlSocket;
const watchers = new Set<ControlClient>();

beforeAll(() => {
  server = openControlSocket({ native: loadNative(), clock: systemClock }, path, (line, client) => {
    if (line !== 'watch') client.end(`got ${line}`);
    else {
      watchers.add(client);
      client.onGone(() => watchers.delete(client));
    }
  });
});

afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

const connected = (): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = createConnection(path, () => {
      resolve(socket);
    });
  });

async function ask(text: string): Promise<string> {
  const socket = await connected();
  socket.write(text);
  let all = '';
  socket.on('data', (part) => (all += part.toString('utf8')));
  return new Promise((resolve) => {
    socket.on('close', () => {
      resolve(all);
    });
  });
}

test('is root’s own', () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('answers the first line, and that only', async () => {
  expect(await ask('one\ntwo\n')).toBe('got one\n');
});

test('does not listen to a line without end', async () => {
  expect(await ask('x'.repeat(5000))).toBe('');
});

test('tells a client until it goes', async () => {
  const socket = await connected();
  socket.write('watch\n');
  while (watchers.size === 0) await new Promise(setImmediate);
  for (const watcher of watchers) watcher.tell('a line');
  const heard = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  expect(heard.toString('utf8')).toBe('a line\n');
  socket.end();
  while (watchers.size > 0) await new Promise(setImmediate);
});
