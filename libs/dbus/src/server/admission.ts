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

/** Counts calls in flight, so that no sender can hold more than its share of memory and descriptors. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #bySender = new Map<string, Held>(); // BOUNDED: by total.calls
  readonly #total = new Held();

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Call the returned function once when the call has ended; undefined: over a limit, and nothing was counted. */
  admit(sender: string, load: Load): (() => void) | undefined {
    const held = this.#bySender.get(sender) ?? new Held();
    if (!held.hasRoom(load, this.#limits.perSender) || !this.#total.hasRoom(load, this.#limits.total))
      return undefined;
    held.add(load, 1);
    this.#total.add(load, 1);
    this.#bySender.set(sender, held);
    return () => {
      held.add(load, -1);
      this.#total.add(load, -1);
      if (held.calls === 0) this.#bySender.delete(sender);
    };
  }
}

/** A sum of loads. */
class Held {
  calls = 0;
  fds = 0;
  bytes = 0;

  /** There is room for `more` under `limit`. */
  hasRoom(more: Load, limit: Load): boolean {
    return (
      this.calls + more.calls <= limit.calls &&
      this.fds + more.fds <= limit.fds &&
      this.bytes + more.bytes <= limit.bytes
    );
  }

  add(more: Load, sign: 1 | -1): void {
    this.calls += sign * more.calls;
    this.fds += sign * more.fds;
    this.bytes += sign * more.bytes;
  }
}
