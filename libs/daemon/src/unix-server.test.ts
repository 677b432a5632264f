import { seconds } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import { loadNative, NativeError, type StreamOptions, type UnixListenOptions } from '@pp/native';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveUnix, type UnixClient, type UnixDoor } from './unix-server';

const native = loadNative();
const dir = mkdtempSync(join(tmpdir(), 'unix-'));
const path = join(dir, 's');

afterAll(() => {
  rmSync(dir, { recursive: true });
});

test('accepting that fails is tried again a second later, and not any more after the close', () => {
  const done: string[] = [];
  const note = (what: string) => (): void => void done.push(what);
  let options: UnixListenOptions | undefined;
  const door: UnixDoor = {
    ...native,
    listenUnix: (_, given) => {
      options = given;
      return { pause: note('pause'), resume: note('resume'), close: note('close') };
    },
  };
  const clock = new VirtualClock();
  const server = serveUnix({ native: door, clock }, path, 1, () => undefined);
  const fail = (): void => options?.onError(new NativeError('EMFILE', 'accept'));
  fail();
  clock.advance(seconds(1));
  fail();
  server.close();
  clock.advance(seconds(1));
  expect(done).toEqual(['pause', 'resume', 'pause', 'close']);
});

test('a client that does not read is full, until it has read', async () => {
  let client: UnixClient | undefined;
  const server = serveUnix({ native, clock: new VirtualClock() }, path, 1, (came) => (client = came));
  let got = 0;
  const reader = native.connectUnix(path, { ...DEAF, onData: ({ length }) => (got += length) });
  reader.pause();
  await until(() => client !== undefined);
  let sent = 0;
  for (; client?.isFull === false; sent += 65_536) client.write('x'.repeat(65_536));
  expect(sent).toBeGreaterThan(256 * 1024);
  reader.resume();
  await until(() => got === sent);
  await until(() => client?.isFull === false);
  reader.close();
  server.close();
});

const DEAF: StreamOptions = { onData: () => undefined, onEnd: () => undefined, onError: () => undefined };

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await new Promise((done) => setTimeout(done, 5));
  expect(condition()).toBe(true);
}
