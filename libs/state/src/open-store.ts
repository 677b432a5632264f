import { causeChain } from '@pp/base';
import { JournalFault, MemoryJournal } from '@pp/ports';
import type { Redis, RedisOptions } from 'ioredis';
import { FileJournal } from './file-journal';
import { isStore, JournalStore } from './journal-store';
import { needsAnother, RedisStore, type RedisConnection } from './redis-store';
import type { StateStore } from './state-store';
import type { StoreAddress } from './store-address';

/** A command that has no answer by then counts as failed; it may still be done. */
const COMMAND_MS = 2000;
const CONNECT_MS = 2000;
/** For what is under way on a connection that is given up. */
const DISCONNECT_MS = 500;
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [200, 30_000];

/** Opens a store. Rejects with what node:fs throws for a file that cannot be opened, and with a JournalFault for one that is no store; Redis need not be there, now or later. */
export async function openStore(address: StoreAddress): Promise<StateStore> {
  switch (address.kind) {
    case 'memory':
      return new JournalStore(new MemoryJournal());
    case 'file':
      return openFile(address.path);
    case 'redis':
      return openRedis(address.url);
  }
}

/** A journal of another kind (the manager's, a meter's) is somebody else's too. */
function openFile(path: string): StateStore {
  const journal = new FileJournal(path);
  if (isStore(journal)) return new JournalStore(journal);
  journal.close();
  throw new JournalFault(`${path} holds another journal, and is left as it is`);
}

/** Nothing waits in the client while the server is away: who asks is told at once, and asks again. */
async function openRedis(url: string): Promise<StateStore> {
  const { Redis } = await import('ioredis'); // a megabyte that only those load who need it
  const options: RedisOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: DISCONNECT_MS,
    commandTimeout: COMMAND_MS,
    retryStrategy: (tries) =>
      Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), LAST_RETRY_MS) * (0.5 + Math.random() / 2),
  };
  const redis = new Redis(url.replace(/^redis\+unix:/, ''), options);
  const connection = connectionOf(redis);
  redis.connect().catch(() => undefined); // told by 'error', and tried again
  return new RedisStore(redis, connection);
}

/** ioredis sends commands to database 0 where the server refuses SELECT: nothing is to be asked before it has said yes. */
function connectionOf(redis: Redis): RedisConnection {
  let why: string | undefined = 'not connected yet';
  const renew = (): void => {
    redis.disconnect(true);
  };
  const fails = (fault: unknown): void => {
    why = causeChain(fault);
  };
  redis.on('error', fails);
  redis.on('close', () => (why ??= 'the connection was closed'));
  redis.on('ready', () => {
    const { db = 0 } = redis.options;
    if (db === 0) why = undefined;
    else
      redis.select(db).then(
        () => (why = undefined),
        (fault: unknown) => {
          fails(fault);
          if (needsAnother(fault)) renew();
        },
      );
  });
  return { why: () => why, renew };
}
