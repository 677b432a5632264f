import { KernelError } from '@pp/base';
import { errnoName } from './codec/errno';
import {
  decodeDone,
  decodeError,
  encodeMessage,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './codec/message';
import type { NetlinkMessage, Verdict } from './codec/message';
import { MAX_TRIES, refusal } from './exchange';
import type { Exchange, Line } from './exchange';
import type { NetlinkRequest, Reply } from './request';

/** One dump, begun anew when the kernel says that its tables changed meanwhile. */
export class DumpExchange implements Exchange {
  #line: Line | undefined;
  #tries = 0;
  #seq = 0;
  #interrupted = false;
  #messages: NetlinkMessage[] = []; // BOUNDED: by the kernel's table

  constructor(
    private readonly request: NetlinkRequest,
    private readonly resolve: (reply: Reply) => void,
    private readonly reject: (error: KernelError) => void,
  ) {}

  start(line: Line): void {
    this.#line = line;
    this.#tries += 1;
    this.#seq = line.nextSeqs(1);
    this.#interrupted = false;
    this.#messages = [];
    const { type, flags, body } = this.request;
    line.send(encodeMessage({ type, flags: flags | NLM_F_REQUEST | NLM_F_DUMP, seq: this.#seq, body }));
  }

  take(message: NetlinkMessage): boolean {
    if (message.seq !== this.#seq) return false;
    this.#interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
    if (message.type === NLMSG_DONE) return this.#end(decodeDone(message));
    if (message.type === NLMSG_ERROR) return this.#end(decodeError(message));
    this.#messages.push(message);
    return false;
  }

  lost(): boolean {
    return this.#again('ENOBUFS', 'answers were lost again and again');
  }

  fail(code: KernelError['code'], why: string): void {
    this.reject(new KernelError(code, this.request.label(), why));
  }

  #end(verdict: Verdict): boolean {
    const code = verdict.errno === 0 ? null : errnoName(verdict.errno);
    // A dump that was given up for lost goes on in the kernel until it is read: netlink_dump_start, cb_running.
    if (code === 'EBUSY') return this.#again(code, 'another dump on this socket does not end');
    if (code !== null) this.reject(refusal(verdict, this.request));
    else if (this.#interrupted) return this.#again('EINTR', 'the tables kept changing during the dump');
    else this.resolve(this.#messages);
    return true;
  }

  #again(code: 'EBUSY' | 'EINTR' | 'ENOBUFS', why: string): boolean {
    if (this.#line !== undefined && this.#tries < MAX_TRIES) {
      this.start(this.#line);
      return false;
    }
    this.fail(code, why);
    return true;
  }
}
