import { KernelError } from '@pp/base';
import type { Errno } from '@pp/base';
import { NativeError } from '@pp/native';
import { BatchExchange } from './batch-exchange';
import type { BatchResult } from './batch-exchange';
import { chunksOf } from './chunks';
import { MalformedError } from './codec/malformed';
import { decodeMessages } from './codec/message';
import { DumpExchange } from './dump-exchange';
import type { Exchange, Line } from './exchange';
import type { NetlinkRequest, Query, Reply } from './request';
import type { NetlinkSocket, OpenNetlink } from './socket';

const MAX_SEQ = 0xffffffff;

/**
 * ENOBUFS says that answers were dropped. EINVAL comes when a dump ends in the thread that sent it while this one receives its first part
 * (netlink_recvmsg looks at cb_running without its lock); it takes the place of an ENOBUFS that was there.
 */
const MAYBE_LOST: ReadonlySet<Errno> = new Set(['ENOBUFS', 'EINVAL']);

/** Requests in a queue on one socket of its own; every refusal is a KernelError with the request's label. */
export class NetlinkClient {
  readonly #socket: NetlinkSocket;
  readonly #line: Line;
  readonly #queue: Exchange[] = []; // BOUNDED: each has a caller who waits for it
  #current: Exchange | undefined;
  #lastSeq = 0;
  #closed = false;

  constructor(open: OpenNetlink) {
    this.#socket = open({
      onDatagrams: (datagrams) => {
        this.#receive(datagrams);
      },
      onError: ({ code, message }) => {
        this.#onError(code as Errno, message);
      },
    });
    this.#line = {
      nextSeqs: (count) => this.#nextSeqs(count),
      send: (datagram) => {
        this.#socket.send(datagram);
      },
    };
  }

  /** One message; the reply is what came before its ack. */
  async request(request: NetlinkRequest): Promise<Reply> {
    const [result = []] = await this.requestMany([request]);
    if (result instanceof KernelError) throw result;
    return result;
  }

  /** One object; ENOENT if the kernel answers with none. */
  async get<T>(query: Query<T>): Promise<T> {
    const [object] = decodeReply(query, await this.request(query));
    if (object === undefined) throw new KernelError('ENOENT', query.label());
    return object;
  }

  /** As few datagrams as will do, one result for each message; a refused one does not stop those after it. */
  async requestMany(requests: readonly NetlinkRequest[]): Promise<readonly BatchResult[]> {
    const chunks = chunksOf(requests);
    const [first] = chunks;
    if (first === undefined) return [];
    if (chunks.length === 1) return this.#batch(first);
    return (await Promise.all(chunks.map((chunk) => this.#batch(chunk)))).flat();
  }

  /** All messages in one datagram, which the kernel takes or refuses as a whole; rejects with the first refusal. */
  async transaction(requests: readonly NetlinkRequest[]): Promise<void> {
    const refused = (await this.#batch(requests)).find((result) => result instanceof KernelError);
    if (refused !== undefined) throw refused;
  }

  /** All objects of a table; a dump that the kernel calls inconsistent is repeated. */
  async dump<T>(query: Query<T>): Promise<readonly T[]> {
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#enqueue(new DumpExchange(query, resolve, reject));
    });
    return decodeReply(query, reply);
  }

  /** Whoever waits gets ECANCELED. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#socket.close();
    for (const exchange of [this.#current, ...this.#queue.splice(0)])
      exchange?.fail('ECANCELED', 'netlink socket closed');
    this.#current = undefined;
  }

  #batch(requests: readonly NetlinkRequest[]): Promise<readonly BatchResult[]> {
    return new Promise((resolve) => {
      this.#enqueue(new BatchExchange(requests, resolve));
    });
  }

  /** From 1: 0 is what the kernel says of its own accord. */
  #nextSeqs(count: number): number {
    const first = this.#lastSeq + count > MAX_SEQ ? 1 : this.#lastSeq + 1;
    this.#lastSeq = first + count - 1;
    return first;
  }

  #enqueue(exchange: Exchange): void {
    if (this.#closed) {
      exchange.fail('ECANCELED', 'netlink socket closed');
      return;
    }
    this.#queue.push(exchange);
    if (this.#current === undefined) this.#next();
  }

  #next(): void {
    this.#current = this.#queue.shift();
    try {
      this.#current?.start(this.#line);
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      this.#abandon(error.code as Errno, error.message);
    }
  }

  #receive(datagrams: Uint8Array): void {
    try {
      for (const message of decodeMessages(datagrams)) {
        if (this.#current?.take(message)) this.#next();
      }
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#abandon('EBADMSG', error.message);
    }
  }

  #onError(code: Errno, why: string): void {
    if (!MAYBE_LOST.has(code)) this.#abandon(code, why);
    else if (this.#current?.lost()) this.#next();
  }

  #abandon(code: Errno, why: string): void {
    this.#current?.fail(code, why);
    this.#next();
  }
}

/** The objects in a reply. Throws KernelError EBADMSG. */
export function decodeReply<T>(query: Query<T>, reply: Reply): readonly T[] {
  const { crowd } = query;
  const wanted = crowd !== undefined && reply.length > crowd.above ? reply.filter(crowd.isWanted) : reply;
  try {
    return wanted.map(query.decode).filter((object) => object !== null);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new KernelError('EBADMSG', query.label(), error.message, { cause: error });
  }
}
