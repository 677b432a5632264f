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

interface Slot {
  readonly request: NetlinkRequest;
  readonly reply: NetlinkMessage[]; // BOUNDED: by the kernel's answer to one GET
  result: BatchResult | null;
}

/**
 * Many messages in one datagram, each with its own ack: the kernel goes on after one that it refuses. Where acks may be missing, a
 * no-op that wants one is sent after them: its ack says that nothing more will come. nfnetlink acks the messages of a batch after its
 * commit, so that the frame is silent unless the whole is refused.
 */
export class BatchExchange implements Exchange {
  readonly #slots: readonly Slot[];
  readonly #bySeq = new Map<number, Slot>(); // BOUNDED: by one datagram
  readonly #barriers = new Set<number>(); // BOUNDED: MAX_TRIES
  #line: Line | undefined;
  #unanswered: number;

  constructor(
    requests: readonly NetlinkRequest[],
    private readonly resolve: (results: readonly BatchResult[]) => void,
  ) {
    this.#slots = requests.map((request) => ({ request, reply: [], result: null }));
    this.#unanswered = requests.filter(({ silent }) => !silent).length;
  }

  start(line: Line): void {
    this.#line = line;
    line.send(encodeMessages(this.#slots.map((slot) => this.#message(slot, line.nextSeq()))));
    if (this.#unanswered === 0) this.#sendBarrier(line);
  }

  take(message: NetlinkMessage): boolean {
    if (this.#barriers.has(message.seq)) return this.#end('ENOBUFS', 'the answer was lost');
    const slot = this.#bySeq.get(message.seq);
    if (slot === undefined) return false;
    if (message.type !== NLMSG_ERROR) {
      slot.reply.push(message);
      return false;
    }
    this.#settle(slot, decodeError(message));
    return this.#unanswered === 0 && this.#barriers.size === 0 && this.#end('ENOBUFS', '');
  }

  lost(): boolean {
    if (this.#line === undefined || this.#barriers.size >= MAX_TRIES) {
      return this.#end('ENOBUFS', 'answers were lost again and again');
    }
    this.#sendBarrier(this.#line);
    return false;
  }

  fail(code: KernelError['code'], why: string): void {
    this.#end(code, why);
  }

  #settle(slot: Slot, verdict: Verdict): void {
    if (slot.request.silent) {
      if (this.#line !== undefined && this.#barriers.size === 0) this.#sendBarrier(this.#line);
    } else if (slot.result === null) {
      this.#unanswered -= 1;
    }
    slot.result = verdict.errno === 0 ? slot.reply : refusal(verdict, slot.request);
  }

  #message(slot: Slot, seq: number): NetlinkMessage {
    this.#bySeq.set(seq, slot);
    const { type, flags, body, silent } = slot.request;
    return { type, flags: flags | NLM_F_REQUEST | (silent ? 0 : NLM_F_ACK), seq, body };
  }

  #sendBarrier(line: Line): void {
    const seq = line.nextSeq();
    this.#barriers.add(seq);
    line.send(
      encodeMessage({ type: NLMSG_NOOP, flags: NLM_F_REQUEST | NLM_F_ACK, seq, body: new Uint8Array(0) }),
    );
  }

  /** What has no answer by now never gets one. */
  #end(code: KernelError['code'], why: string): true {
    const unanswered = ({ request, reply }: Slot): BatchResult =>
      request.silent ? reply : new KernelError(code, request.label(), why);
    this.resolve(this.#slots.map((slot) => slot.result ?? unanswered(slot)));
    return true;
  }
}
