import { causeChain } from '@pp/base';
import { loadNative } from '@pp/native';
import { chmodSync, linkSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refused } from './refused';
import { askStatus } from './status-client';
import { openStatusSocket, statusPath, type StatusSocket } from './status-socket';
import { systemClock } from './system-clock';

const serving = { native: loadNative(), clock: systemClock };

let dir: string;
let path: string;
const opened: StatusSocket[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'status-'));
  path = statusPath(join(dir, 'made', 'here'), 'relay');
});

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
  rmSync(dir, { recursive: true });
});

function open(answer: object): StatusSocket {
  const socket = openStatusSocket(serving, path, () => answer);
  opened.push(socket);
  return socket;
}

const refusalOf = (work: () => unknown): Promise<[number, string]> =>
  Promise.resolve()
    .then(work)
    .then(
      () => [0, 'no refusal'],
      (fault: unknown) =>
        fault instanceof Refused ? [fault.exitCode, fault.message] : [-1, causeChain(fault)],
    );

/** A socket without listener, as kill -9 leaves it. */
async function leaveDead(): Promise<void> {
  const server = createServer();
  const other = join(dir, 'other');
  await new Promise<void>((resolve) => server.listen(other, resolve));
  linkSync(other, path);
  await new Promise((resolve) => server.close(resolve));
}

test('answers each client with one line of JSON, made anew', async () => {
  let asked = 0;
  opened.push(openStatusSocket(serving, path, () => ({ asked: ++asked })));
  expect([await askStatus('relay', path), await askStatus('relay', path)]).toEqual([
    '{"asked":1}\n',
    '{"asked":2}\n',
  ]);
});

test('a client that has said its last word at once gets all of a long answer', async () => {
  const text = 'x'.repeat(4 << 20);
  open({ text });
  const client = await connected(path);
  client.end();
  let got = 0;
  client.on('data', (part) => (got += part.length));
  await new Promise((resolve) => client.on('end', resolve));
  expect(got).toBe(JSON.stringify({ text }).length + 1);
});

test('only its owner and group may ask, and nothing else lies beside it', () => {
  open({});
  expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
  expect(readdirSync(join(dir, 'made', 'here'))).toEqual(['relay.sock']);
});

test('close takes the socket away, once more is allowed', () => {
  const socket = open({});
  socket.close();
  socket.close();
  expect(readdirSync(join(dir, 'made', 'here'))).toEqual([]);
});

test('close leaves what another put in its place', () => {
  const socket = open({});
  rmSync(path);
  writeFileSync(path, 'mine');
  socket.close();
  expect(readdirSync(join(dir, 'made', 'here'))).toEqual(['relay.sock']);
});

test('a second one is refused and the first goes on', async () => {
  open({ first: true });
  expect(await refusalOf(() => open({}))).toEqual([
    1,
    `already running: another process answers at ${path}; stop it or use another --state-dir`,
  ]);
  expect(await askStatus('relay', path)).toBe('{"first":true}\n');
  expect(readdirSync(join(dir, 'made', 'here'))).toEqual(['relay.sock']);
});

test('what a dead process left is replaced', async () => {
  open({}).close();
  await leaveDead();
  expect(await refusalOf(() => askStatus('relay', path))).toEqual([
    6,
    `relay is not running: nobody answers at ${path}; start it or give its --state-dir`,
  ]);
  open({ second: true });
  expect(await askStatus('relay', path)).toBe('{"second":true}\n');
});

test('a file that is no socket is left alone', async () => {
  open({}).close();
  writeFileSync(path, 'precious');
  expect(await refusalOf(() => open({}))).toEqual([
    1,
    `${path} is not a socket; remove it or use another --state-dir`,
  ]);
  expect(readdirSync(join(dir, 'made', 'here'))).toEqual(['relay.sock']);
});

test('a state directory that cannot be made', async () => {
  writeFileSync(join(dir, 'file'), '');
  path = statusPath(join(dir, 'file'), 'relay');
  expect(await refusalOf(() => open({}))).toEqual([
    1,
    `the status socket ${path} cannot be made (EEXIST); use another --state-dir`,
  ]);
  expect(await refusalOf(() => askStatus('relay', path))).toEqual([
    6,
    `relay is not running: nobody answers at ${path}; start it or give its --state-dir`,
  ]);
});

test('nobody there', async () => {
  expect(await refusalOf(() => askStatus('relay', path))).toEqual([
    6,
    `relay is not running: nobody answers at ${path}; start it or give its --state-dir`,
  ]);
});

test('a server that closes without an answer', async () => {
  path = join(dir, 'mute.sock');
  const server = createServer((client) => client.destroy());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o600);
  expect(await refusalOf(() => askStatus('relay', path))).toEqual([
    6,
    `relay does not answer at ${path} (no answer); look at its log`,
  ]);
  await new Promise((resolve) => server.close(resolve));
});

test('clients beyond the sixteenth are turned away, and the next one after is served', async () => {
  open({});
  // Half-open clients that never close keep their place until the server's deadline.
  const idle = await Promise.all(Array.from({ length: 20 }, () => connected(path)));
  await until(() => idle.filter((client) => client.readableEnded).length === 20);
  for (const client of idle) client.destroy();
  await until(async () => (await askStatus('relay', path).catch(() => '')) === '{}\n');
});

function connected(to: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: to, allowHalfOpen: true }, () => {
      resolve(socket);
    });
    socket.once('error', reject);
    socket.resume();
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the condition did not come true');
}
