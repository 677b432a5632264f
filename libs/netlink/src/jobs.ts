import { KernelError } from '@pp/base';
import type { Errno } from '@pp/base';
import { NativeError, type NetlinkWorkerHandle, type WorkerStep } from '@pp/native';
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
import type { NetlinkMessage, Verdict } from './codec/message';
import { refusal } from './exchange';
import type { NetlinkRequest } from './request';
import type { OpenWorker } from './socket';

/**
 * A part of a job.
 * - requests: to rtnetlink in the namespace of `netnsFd`, null: the worker's own; each has a result. `mayFail`: a refusal does not end the job
 * - file: a sysctl's, and its value; tap: a TAP, which goes when the job ends; keepTaps: unless this is its last part. One result each
 */
export type JobPart =
  | { readonly requests: readonly NetlinkRequest[]; readonly netnsFd: number | null; readonly mayFail?: true }
  | (Exclude<WorkerStep, { datagram: unknown }> & { readonly label: () => string });

/** null: the job had ended before. */
export type JobResult = BatchResult | null;

/** Jobs for a worker: parts that are done one after the other, until one is refused. */
export class NetlinkJobs {
  readonly #worker: NetlinkWorkerHandle;
  readonly #waiting: Job[] = []; // BOUNDED: each has a caller who waits for it
  #closed = false;

  constructor(open: OpenWorker) {
    this.#worker = open({
      onDone: (answers, done, fault) => {
        if (this.#waiting[0]?.heard(answers, done, fault)) this.#waiting.shift();
      },
    });
  }

  /**
   * For each part its results: ECANCELED of a closed worker. The first parts, in the worker's own namespace, are under way when the rest is asked for;
   * where that cannot be sent (EMFILE), its first part is refused. Throws what `rest` throws.
   */
  run(
    first: readonly JobPart[],
    rest: () => readonly JobPart[] = () => [],
  ): Promise<readonly (readonly JobResult[])[]> {
    return new Promise((resolve) => {
      const job = new Job(resolve);
      const begun = job.stepsOf(first);
      if (begun.length > 0) this.#send(job, begun, true);
      this.#waiting.push(job); // it is told from the loop
      this.#sendLast(job, () => job.stepsOf(rest()));
      if (this.#closed) this.close();
    });
  }

  /** Whoever waits gets ECANCELED. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#worker.close();
    for (const job of this.#waiting.splice(0)) job.cancel();
  }

  #send(job: Job, steps: readonly WorkerStep[], more: boolean): void {
    if (!this.#closed) this.#worker.run(steps, { more });
    job.sent(steps.length);
  }

  /** What was begun must have an end, or the next job would go on with it. */
  #sendLast(job: Job, steps: () => readonly WorkerStep[]): void {
    try {
      this.#send(job, steps(), false);
    } catch (fault) {
      this.#send(job, [], false);
      if (!(fault instanceof NativeError)) throw fault;
      job.unsent(fault);
    }
  }
}

interface Slot {
  readonly request: Pick<NetlinkRequest, 'label' | 'blame'>;
  /** Place of the step that does it. */
  readonly step: number;
  readonly reply: NetlinkMessage[]; // BOUNDED: by the kernel's answer to one GET
  result: JobResult;
}

type Fault = Pick<NativeError, 'code' | 'message'>;

/** Sequence numbers are places in `slots`, from 1. It goes to the worker at once, or as two jobs, the second of which goes on with the first. */
class Job {
  readonly #slots: Slot[] = []; // BOUNDED: by the parts
  /** Where the slots of each part begin. BOUNDED: likewise. */
  readonly #parts: number[] = [];
  /** How many steps were sent each time. */
  readonly #sent: number[] = []; // BOUNDED: two
  #steps = 0;
  /** Steps that the worker is past. */
  #told = 0;
  /** It has ended early. */
  #isCut = false;

  constructor(private readonly resolve: (results: readonly (readonly JobResult[])[]) => void) {}

  stepsOf(parts: readonly JobPart[]): readonly WorkerStep[] {
    const steps: WorkerStep[] = []; // BOUNDED: by the parts
    for (const part of parts) {
      this.#parts.push(this.#slots.length);
      if (!('requests' in part)) {
        this.#slots.push({ request: part, step: this.#steps + steps.length, reply: [], result: null });
        steps.push(part);
      } else {
        for (const chunk of chunksOf(part.requests))
          steps.push(this.#datagram(chunk, part, this.#steps + steps.length));
      }
    }
    this.#steps += steps.length;
    return steps;
  }

  sent(steps: number): void {
    this.#sent.push(steps);
  }

  /** Why the steps after those could not be. */
  unsent({ code, message }: Fault): void {
    const sent = this.#sent.reduce((all, steps) => all + steps, 0);
    const slot = this.#slots.find(({ step }) => step >= sent);
    if (slot !== undefined) slot.result = new KernelError(code as Errno, slot.request.label(), message);
  }

  /** Returns true when that was all. */
  heard(answers: Uint8Array, done: number, fault: Fault | undefined): boolean {
    const why = this.#read(answers) ?? fault;
    const sent = this.#sent.shift() ?? 0;
    const [stop, end] = [this.#told + done, this.#told + sent];
    for (const slot of this.#slots) {
      if (this.#isCut || slot.step < this.#told || slot.step > stop || slot.step >= end) continue;
      const isFault = slot.step === stop && why !== undefined;
      slot.result ??= isFault
        ? new KernelError(why.code as Errno, slot.request.label(), why.message)
        : slot.reply; // the kernel goes on in a datagram of which it refuses something
    }
    this.#told = end;
    this.#isCut = done < sent;
    if (this.#sent.length > 0) return false;
    this.#conclude();
    return true;
  }

  /** What the kernel made of it, if anything, is not known. */
  cancel(): void {
    for (const slot of this.#slots)
      slot.result ??= new KernelError('ECANCELED', slot.request.label(), 'netlink worker closed');
    this.#conclude();
  }

  #conclude(): void {
    const results = this.#slots.map(({ result }) => result);
    this.resolve(this.#parts.map((start, index) => results.slice(start, this.#parts[index + 1])));
  }

  #datagram(
    requests: readonly NetlinkRequest[],
    { netnsFd, mayFail }: Extract<JobPart, { requests: unknown }>,
    step: number,
  ): WorkerStep {
    const messages: NetlinkMessage[] = []; // BOUNDED: by `requests`
    for (const request of requests) {
      this.#slots.push({ request, step, reply: [], result: null });
      const { type, flags, body } = request;
      messages.push({ type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, seq: this.#slots.length, body });
    }
    const datagram = encodeMessages(messages);
    return mayFail ? { datagram, netnsFd, mayFail } : { datagram, netnsFd };
  }

  /** What cannot be read is a fault of the step that was not done. */
  #read(answers: Uint8Array): Fault | undefined {
    try {
      for (const message of decodeMessages(answers)) {
        const slot = this.#slots[message.seq - 1];
        if (slot === undefined) continue;
        if (message.type === NLMSG_ERROR) slot.result = resultOf(slot, decodeError(message));
        else slot.reply.push(message);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return { code: 'EBADMSG', message: error.message };
    }
  }
}

const resultOf = ({ reply, request }: Slot, verdict: Verdict): BatchResult =>
  verdict.errno === 0 ? reply : refusal(verdict, request);
