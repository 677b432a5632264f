/** What calls in flight hold. */
export interface Load {
  readonly calls: number;
  readonly fds: number;
  /** Of their bodies. */
  readonly bytes: number;
}

export interface AdmissionLimits {
  readonly perSender: Load;
  readonly total: Load;
}

export const DEFAULT_LIMITS: AdmissionLimits = {
  perSender: { calls: 256, fds: 256, bytes: 8 * 1024 * 1024 },
  total: { calls: 1024, fds: 1024, bytes: 32 * 1024 * 1024 },
};

const NOTHING: Load = { calls: 0, fds: 0, bytes: 0 };

/** Counts calls in flight, so that no sender can hold more than its share of memory and descriptors. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #bySender = new Map<string, Load>(); // BOUNDED: by total.calls
  #total = NOTHING;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Call the returned function once when the call has ended; undefined: over a limit, and nothing was counted. */
  admit(sender: string, load: Load): (() => void) | undefined {
    const ofSender = plus(this.#bySender.get(sender) ?? NOTHING, load, 1);
    const total = plus(this.#total, load, 1);
    if (!fits(ofSender, this.#limits.perSender) || !fits(total, this.#limits.total)) return undefined;
    this.#bySender.set(sender, ofSender);
    this.#total = total;
    return () => {
      this.#release(sender, load);
    };
  }

  #release(sender: string, load: Load): void {
    const left = plus(this.#bySender.get(sender) ?? NOTHING, load, -1);
    if (left.calls > 0) this.#bySender.set(sender, left);
    else this.#bySender.delete(sender);
    this.#total = plus(this.#total, load, -1);
  }
}

function plus(a: Load, b: Load, sign: 1 | -1): Load {
  return { calls: a.calls + sign * b.calls, fds: a.fds + sign * b.fds, bytes: a.bytes + sign * b.bytes };
}

const fits = (load: Load, limit: Load): boolean =>
  load.calls <= limit.calls && load.fds <= limit.fds && load.bytes <= limit.bytes;
