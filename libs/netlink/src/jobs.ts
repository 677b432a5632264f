import { KernelError } from '@pp/base';
import type { Errno } from '@pp/base';
import type { NetlinkWorkerHandle, WorkerStep } from '@pp/native';
import type { BatchResult } from './batch-exchange';
import { chunksOf } from './chunks';
import { MalformedError } from './codec/malformed';
import {
  decodeError,
  decodeMessages,
  encodeMessages,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
} from './codec/message';
import type { NetlinkMessage } from './codec/message';
import { refusal } from './exchange';
import type { NetlinkRequest } from './request';
import type { OpenWorker } from './socket';

/**
 * A part of a job.
 * - requests: to rtnetlink in the namespace of `netnsFd`, null: the worker's own; each has a result. `mayFail`: a refusal does not end the job
 * - file: a sysctl's, and its value; one result
 */
export type JobPart =
  | { readonly requests: readonly NetlinkRequest[]; readonly netnsFd: number | null; readonly mayFail?: true }
  | { readonly file: string; readonly value: string; readonly label: () => string };

/** null: the job had ended before. */
export type JobResult = BatchResult | null;

/** Jobs for a worker: parts that are done one after the other, until one is refused. */
export class NetlinkJobs {
  readonly #worker: NetlinkWorkerHandle;
  readonly #waiting: Waiting[] = []; // BOUNDED: each has a caller who waits for it
  #closed = false;

  constructor(open: OpenWorker) {
    this.#worker = open({
      onDone: (answers, done, fault) => {
        this.#waiting.shift()?.finish(answers, done, fault);
      },
    });
  }

  /** For each part its results: ECANCELED of a closed worker. Throws NativeError for what is no descriptor. */
  run(parts: readonly JobPart[]): Promise<readonly (readonly JobResult[])[]> {
    return new Promise((resolve) => {
      const job = new Waiting(parts, resolve);
      if (this.#closed) {
        job.cancel();
      } else {
        this.#worker.run(job.steps);
        this.#waiting.push(job);
      }
    });
  }

  /** Whoever waits gets ECANCELED. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#worker.close();
    for (const job of this.#waiting.splice(0)) job.cancel();
  }
}

interface Slot {
  readonly request: Pick<NetlinkRequest, 'label' | 'blame'>;
  /** Place of the step that does it. */
  readonly step: number;
  readonly reply: NetlinkMessage[]; // BOUNDED: by the kernel's answer to one GET
  result: JobResult;
}

/** Sequence numbers are places in `slots`, from 1. */
class Waiting {
  readonly steps: WorkerStep[] = [];
  readonly #slots: Slot[] = [];

  constructor(
    private readonly parts: readonly JobPart[],
    private readonly resolve: (results: readonly (readonly JobResult[])[]) => void,
  ) {
    for (const part of parts) {
      if ('file' in part) {
        this.#slots.push({ request: part, step: this.steps.length, reply: [], result: null });
        this.steps.push({ file: part.file, value: part.value });
      } else {
        for (const chunk of chunksOf(part.requests)) this.steps.push(this.#datagram(chunk, part));
      }
    }
  }

  finish(
    answers: Uint8Array,
    done: number,
    fault: { readonly code: string; readonly message: string } | undefined,
  ): void {
    const broken = this.#read(answers);
    for (const slot of this.#slots) {
      if (slot.step < done) slot.result ??= slot.reply;
      else if (slot.step === done && slot.result === null) {
        const why = fault ?? broken;
        if (why !== undefined)
          slot.result = new KernelError(why.code as Errno, slot.request.label(), why.message);
      }
    }
    let at = 0;
    const results = (part: JobPart): readonly JobResult[] => {
      const count = 'file' in part ? 1 : part.requests.length;
      return this.#slots.slice(at, (at += count)).map(({ result }) => result);
    };
    this.resolve(this.parts.map(results));
  }

  /** What the kernel made of it, if anything, is not known. */
  cancel(): void {
    this.finish(new Uint8Array(0), 0, { code: 'ECANCELED', message: 'netlink worker closed' });
  }

  #datagram(
    requests: readonly NetlinkRequest[],
    { netnsFd, mayFail }: Extract<JobPart, { requests: unknown }>,
  ): WorkerStep {
    const messages = requests.map((request) => {
      this.#slots.push({ request, step: this.steps.length, reply: [], result: null });
      const { type, flags, body } = request;
      return { type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, seq: this.#slots.length, body };
    });
    const datagram = encodeMessages(messages);
    return mayFail ? { datagram, netnsFd, mayFail } : { datagram, netnsFd };
  }

  /** What cannot be read is a fault of the step that it belongs to. */
  #read(answers: Uint8Array): { readonly code: Errno; readonly message: string } | undefined {
    try {
      for (const message of decodeMessages(answers)) {
        const slot = this.#slots[message.seq - 1];
        if (slot === undefined) continue;
        if (message.type !== NLMSG_ERROR) slot.reply.push(message);
        else {
          const verdict = decodeError(message);
          slot.result = verdict.errno === 0 ? slot.reply : refusal(verdict, slot.request);
        }
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return { code: 'EBADMSG', message: error.message };
    }
  }
}
