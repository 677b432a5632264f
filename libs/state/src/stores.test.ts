import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import RedisMock from 'ioredis-mock';
import { FileJournal } from './file-journal';
import { openStore } from './open-store';
import { RedisStore, type RedisCalls } from './redis-store';
import { StoreFault, type StateStore } from './state-store';
import { redisMissing, RedisServer, until } from './testing/redis-server';
import { batch, delta, lines, STORE_ROWS } from './testing/store-contract';

let store: StateStore;
afterEach(() => store.close());

describe('memory:', () => {
  test.each(STORE_ROWS)('$name', async ({ run }) => {
    store = await openStore({ kind: 'memory' });
    await run(store);
  });
});

describe('file:', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pp-store-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test.each(STORE_ROWS)('$name', async ({ run }) => {
    store = await openStore({ kind: 'file', path: join(directory, 'fleet') });
    await run(store);
  });

  test('opened anew it has all, and knows what was added', async () => {
    const address = { kind: 'file', path: join(directory, 'fleet') } as const;
    const before = await openStore(address);
    await before.add(batch(1, [delta('eth0', 2n ** 70n)]));
    await before.close();
    store = await openStore(address);
    expect(lines(await store.totals('2026-11'))).toEqual([`h1 eth0 ${2n ** 70n}`]);
    expect(await store.add(batch(1, [delta('eth0', 1n)]))).toBe('known');
  });

  test('a journal of another kind is refused, and stays', async () => {
    const path = join(directory, 'journal');
    const journal = new FileJournal(path);
    journal.begin({ put: new Map([['guest 1', { netns: 4 }]]), del: [] });
    journal.close();
    const before = readFileSync(path);
    await expect(openStore({ kind: 'file', path })).rejects.toThrow(
      `${path} holds another journal, and is left as it is`,
    );
    expect(readFileSync(path)).toEqual(before);
  });
});

describe('ioredis-mock', () => {
  test.each(STORE_ROWS)('$name', async ({ run }) => {
    const mock = new RedisMock();
    await mock.flushall();
    store = new RedisStore(mock);
    await run(store);
  });
});

const missing = redisMissing();
const describeRedis = missing === undefined ? describe : describe.skip;

describeRedis(`redis-server${missing === undefined ? '' : ` (needs ${missing})`}`, () => {
  const server = new RedisServer();
  let admin: Redis;
  beforeAll(async () => {
    await server.start();
    admin = new Redis(server.socket);
  }, 30_000);
  afterAll(async () => {
    admin.disconnect();
    await server.close();
  });
  beforeEach(() => admin.flushall());

  const opened = async (): Promise<StateStore> => {
    store = await openStore({ kind: 'redis', url: server.url });
    await until('it is connected', async () => Array.isArray(await store.months()));
    return store;
  };

  test.each(STORE_ROWS)('$name', async ({ run }) => {
    await run(await opened());
  });

  test('no other commands than those that ioredis-mock does alike', async () => {
    const seen = new Set<string>();
    const monitor = await admin.monitor();
    monitor.on('monitor', (_time: string, [command = '']: readonly string[]) =>
      seen.add(command.toLowerCase()),
    );
    const own = await opened();
    await own.add(batch(1, [delta('eth0', 1n)]));
    await own.totals('2026-11');
    await until('all of them were seen', () => ['eval', 'hgetall', 'hkeys'].every((each) => seen.has(each)));
    monitor.disconnect();
    expect([...seen].sort()).toEqual(['eval', 'hget', 'hgetall', 'hkeys', 'hset']);
  });

  test('what others wrote there is passed over', async () => {
    const own = await opened();
    await own.add(batch(1, [delta('eth0', 1n)]));
    await admin.hset('patchpanel:{fleet}:month:2026-11', 'visitor', 'x', '["h9","eth0"]', 'x', '["h9"]', '7');
    expect(lines(await own.totals('2026-11'))).toEqual(['h1 eth0 1']);
  });

  test('a database that it has not: nothing is written, least of all to another one', async () => {
    store = await openStore({ kind: 'redis', url: `${server.url}?db=99` });
    const refused = (): Promise<boolean> =>
      store.add(batch(1, [delta('eth0', 1n)])).then(
        () => Promise.reject(new Error('it was added')),
        (fault: unknown) => (fault as Error).message === 'Redis: ERR DB index is out of range',
      );
    await until('the reason is known', refused);
    expect(await admin.keys('*')).toEqual([]);
  });

  test('another database than the first', async () => {
    store = await openStore({ kind: 'redis', url: `${server.url}?db=2` });
    await until('it is added', async () => (await store.add(batch(1, [delta('eth0', 1n)]))) === 'added');
    expect([await admin.keys('*'), lines(await store.totals('2026-11'))]).toEqual([[], ['h1 eth0 1']]);
  });

  test('a key of another type is a fault, and nothing of the batch is added', async () => {
    const own = await opened();
    await admin.set('patchpanel:{fleet}:sequences', 'visitor');
    await expect(own.add(batch(1, [delta('eth0', 1n)]))).rejects.toThrow(/Redis: .*WRONGTYPE/);
    expect(await own.totals('2026-11')).toEqual([]);
  });
});

test.each([
  { refusal: 'Command timed out', renews: 1 },
  { refusal: "READONLY You can't write against a read only replica. script: 8d57", renews: 1 },
  { refusal: 'LOADING Redis is loading the dataset in memory', renews: 0 },
  { refusal: "OOM command not allowed when used memory > 'maxmemory'", renews: 0 },
])('$refusal: told; another connection: $renews', async ({ refusal, renews }) => {
  let renewed = 0;
  const calls: RedisCalls = Object.assign(new RedisMock(), {
    eval: () => Promise.reject(new Error(refusal)),
  });
  store = new RedisStore(calls, { why: () => undefined, renew: () => renewed++ });
  await expect(store.add(batch(1, []))).rejects.toEqual(new StoreFault(`Redis: ${refusal}`));
  expect(renewed).toBe(renews);
});

test('nobody at the address: a fault at once, with the reason', async () => {
  store = await openStore({ kind: 'redis', url: 'redis+unix:/nonexistent/redis.sock' });
  await until('the reason is known', () =>
    store.months().then(
      () => false,
      (fault: unknown) => /^Redis: .*ENOENT/.test((fault as Error).message),
    ),
  );
});
