import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteStream } from './byte-stream';
import { connectUnixStream } from './native-stream';
import { native } from './testing/bus-lab';
import { until } from './testing/until';

jest.setTimeout(60_000);

let directory: string;
let server: Server;
let told: string[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pp-stream-'));
  server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(join(directory, 's'), resolve));
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function connected(): Promise<{ stream: ByteStream; peer: Socket }> {
  const peer = new Promise<Socket>((resolve) => server.once('connection', resolve));
  told = [];
  const stream = connectUnixStream(native, join(directory, 's'), {
    onData: (data) => told.push(`data ${Buffer.from(data).toString('latin1')}`),
    onEnd: () => told.push('end'),
    onError: (error) => told.push(`error ${error.message}`),
    onDrain: () => told.push('drain'),
  });
  return { stream, peer: await peer };
}

test('bytes and the end', async () => {
  const { stream, peer } = await connected();
  peer.end('hello');
  await until('the end', () => told.includes('end'));
  expect(told).toEqual(['data hello', 'end']);
  stream.close();
  peer.destroy();
});

test('a peer that closes without reading what we sent has closed, no more', async () => {
  const { stream, peer } = await connected();
  stream.write(Buffer.from('unread'), []);
  peer.destroy();
  await until('the end', () => told.length > 0);
  expect(told).toEqual(['end']);
  stream.close();
});

test('so has one that is gone when we write', async () => {
  const { stream, peer } = await connected();
  peer.end();
  await until('the end', () => told.includes('end'));
  peer.destroy();
  await new Promise((resolve) => peer.once('close', resolve));
  stream.write(Buffer.from('late'), []);
  await until('the second end', () => told.length > 1);
  expect(told).toEqual(['end', 'end']);
  stream.close();
});
