import { causeChain } from '@pp/base';
import type { Redis } from 'ioredis';
import { ADD_BATCH } from './redis-script';
import { StoreFault, type Batch, type StateStore, type Total } from './state-store';

/** What the store needs of ioredis, and of ioredis-mock, which are the same in these and differ in others (spec/users.md, 4.4). */
export type RedisCalls = Pick<Redis, 'eval' | 'hgetall' | 'hkeys' | 'disconnect'>;

export interface RedisConnection {
  /** What is wrong with it: nothing is asked then; undefined: nothing is known. */
  why(): string | undefined;
  /** Nobody answers on it, or one who must not write: makes another one, to whoever has the name now. */
  renew(): void;
}

const WELL: RedisConnection = { why: () => undefined, renew: () => undefined };

/** The keys of one fleet; the braces keep them on one node of a cluster. */
const PREFIX = 'patchpanel:{fleet}:';
const SEQUENCES = `${PREFIX}sequences`;
const MONTHS = `${PREFIX}months`;
const monthKey = (month: string): string => `${PREFIX}month:${month}`;

/**
 * `redis://`: a hash for each month with a field for each host and key, decimal text as value (numbers of Redis end at 2^63, and those of
 * its scripts are exact up to 2^53 only); a hash with the last batch of each writer. A batch is one script: all or nothing.
 */
export class RedisStore implements StateStore {
  readonly #redis: RedisCalls;
  readonly #connection: RedisConnection;

  constructor(redis: RedisCalls, connection: RedisConnection = WELL) {
    this.#redis = redis;
    this.#connection = connection;
  }

  async add({ host, writer, sequence, deltas }: Batch): Promise<'added' | 'known'> {
    const months = [...new Set(deltas.map(({ month }) => month))];
    const keys = [SEQUENCES, MONTHS, ...months.map(monthKey)];
    const rows = deltas.flatMap(({ month, key, amount }) => [
      months.indexOf(month),
      JSON.stringify([host, key]),
      String(amount),
    ]);
    const args = [writer, sequence, months.length, ...months, ...rows];
    const added = await this.#ask(() => this.#redis.eval(ADD_BATCH, keys.length, ...keys, ...args));
    return added === 1 ? 'added' : 'known';
  }

  async totals(month: string): Promise<readonly Total[]> {
    const fields = await this.#ask(() => this.#redis.hgetall(monthKey(month)));
    return Object.entries(fields).flatMap(([field, value]) => totalOf(field, value) ?? []);
  }

  async months(): Promise<readonly string[]> {
    return (await this.#ask(() => this.#redis.hkeys(MONTHS))).sort();
  }

  close(): Promise<void> {
    this.#redis.disconnect();
    return Promise.resolve();
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    const why = this.#connection.why();
    if (why !== undefined) throw new StoreFault(`Redis: ${why}`);
    try {
      return await question();
    } catch (cause) {
      if (needsAnother(cause)) this.#connection.renew();
      throw new StoreFault(`Redis: ${this.#connection.why() ?? causeChain(cause)}`, { cause });
    }
  }
}

/**
 * ioredis has a timeout of its own for silence, whose timer outlives the connection and ends the next one. A server that became a replica
 * would refuse for ever, while the name leads to another one by now.
 */
export const needsAnother = (fault: unknown): boolean =>
  fault instanceof Error && /^(Command timed out$|READONLY )/.test(fault.message);

/** Others may write to a shared server: what is not ours is passed over. */
function totalOf(field: string, value: string): Total | undefined {
  const [, host, key] = /^\["((?:[^"\\]|\\.)*)","((?:[^"\\]|\\.)*)"\]$/.exec(field) ?? [];
  if (host === undefined || key === undefined || !/^\d+$/.test(value)) return undefined;
  const [hostName = '', keyName = ''] = JSON.parse(field) as readonly string[];
  return { host: hostName, key: keyName, amount: BigInt(value) };
}
