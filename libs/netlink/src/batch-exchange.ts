import { KernelError } from '@pp/base';
import {
  decodeError,
  encodeMessage,
  encodeMessages,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  NLMSG_NOOP,
} from './codec/message';
import type { NetlinkMessage, Verdict } from './codec/message';
import { MAX_TRIES, refusal } from './exchange';
import type { Exchange, Line } from './exchange';
import type { NetlinkRequest, Reply } from './request';

/** What became of one message of a batch. */
export type BatchResult = Reply | KernelError;

/**
 * Many messages in one datagram, each with its own ack: the kernel goes on after one that it refuses. Where acks may be missing, a
 * no-op that wants one is sent after them: its ack says that nothing more will come. nfnetlink answers a batch after its commit, in order, so that
 * the ack of its last message is enough, and all others are silent unless refused.
 */
export class BatchExchange implements Exchange {
  readonly #requests: readonly NetlinkRequest[];
  /** By the place of the request: what came before its verdict, and that. BOUNDED: by `requests`, and the kernel's answer to one GET. */
  readonly #replies: (NetlinkMessage[] | undefined)[] = [];
  readonly #results: (BatchResult | undefined)[] = [];
  readonly #barriers = new Set<number>(); // BOUNDED: MAX_TRIES
  #line: Line | undefined;
  #wereLost = false;
  /** Sequence number of the first request; the others follow. */
  #first = 0;
  #unanswered = 0;

  constructor(
    requests: readonly NetlinkRequest[],
    private readonly resolve: (results: readonly BatchResult[]) => void,
  ) {
    this.#requests = requests;
  }

  start(line: Line): void {
    this.#line = line;
    this.#first = line.nextSeqs(this.#requests.length);
    const messages: NetlinkMessage[] = []; // BOUNDED: by `requests`
    for (const { type, flags, body, silent } of this.#requests) {
      const seq = this.#first + messages.length;
      messages.push({ type, flags: flags | NLM_F_REQUEST | (silent ? 0 : NLM_F_ACK), seq, body });
      if (!silent) this.#unanswered += 1;
    }
    line.send(encodeMessages(messages));
    if (this.#unanswered === 0) this.#sendBarrier(line);
  }

  take(message: NetlinkMessage): boolean {
    if (this.#barriers.has(message.seq)) return this.#end('ENOBUFS', 'the answer was lost');
    const place = message.seq - this.#first;
    const request = this.#requests[place];
    if (request === undefined) return false;
    if (message.type === NLMSG_ERROR) this.#settle(place, request, decodeError(message));
    else (this.#replies[place] ??= []).push(message);
    return this.#unanswered === 0 && this.#barriers.size === 0 && this.#end('ENOBUFS', '');
  }

  lost(): boolean {
    this.#wereLost = true;
    if (this.#line === undefined || this.#barriers.size >= MAX_TRIES) {
      return this.#end('ENOBUFS', 'answers were lost again and again');
    }
    this.#sendBarrier(this.#line);
    return false;
  }

  fail(code: KernelError['code'], why: string): void {
    this.#end(code, why);
  }

  #settle(place: number, request: NetlinkRequest, verdict: Verdict): void {
    if (request.silent) {
      if (this.#line !== undefined && this.#barriers.size === 0) this.#sendBarrier(this.#line);
    } else if (this.#results[place] === undefined) {
      this.#unanswered -= 1;
    }
    this.#results[place] = verdict.errno === 0 ? this.#replyTo(place) : refusal(verdict, request);
  }

  #replyTo(place: number): Reply {
    return this.#replies[place] ?? NOTHING;
  }

  #sendBarrier(line: Line): void {
    const seq = line.nextSeqs(1);
    this.#barriers.add(seq);
    line.send(
      encodeMessage({ type: NLMSG_NOOP, flags: NLM_F_REQUEST | NLM_F_ACK, seq, body: new Uint8Array(0) }),
    );
  }

  /** What has no answer by now never gets one. */
  #end(code: KernelError['code'], why: string): true {
    const unanswered = (request: NetlinkRequest, place: number): BatchResult =>
      request.silent && !this.#wereLost ? this.#replyTo(place) : new KernelError(code, request.label(), why);
    this.resolve(this.#requests.map((request, place) => this.#results[place] ?? unanswered(request, place)));
    return true;
  }
}

const NOTHING: Reply = [];
