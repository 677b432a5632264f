import type { KernelError } from '@pp/base';
import type { GroupSender } from '@pp/ports';
import type { Group } from './core/group';

export interface OutboxParts {
  readonly senderTo: (group: Group, ifindexes: readonly number[]) => GroupSender;
  /** What became of copies that went to a group; `sent` counts those that a port was there for and the kernel took. */
  readonly onSent: (group: Group, sent: number, refused: readonly KernelError[]) => void;
}

/** What goes out by the same interfaces. */
interface Run {
  readonly ifindexes: readonly number[];
  readonly payloads: Uint8Array[];
}

/** Gathers what goes to a group, so that all of it costs few calls. Payloads are borrowed until `flush`. */
export class Outbox {
  readonly #parts: OutboxParts;
  /** No two of them have an interface in common, so none overtakes another there. */
  #runs: Run[] = []; // BOUNDED: by the interfaces; payloads by a batch of datagrams and those that were held back
  #group: Group | null = null;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  add(group: Group, ifindexes: readonly number[], payload: Uint8Array): void {
    if (group !== this.#group) this.flush();
    const run = this.#runs.find((each) => isSame(each.ifindexes, ifindexes));
    if (run !== undefined) {
      run.payloads.push(payload);
      return;
    }
    if (this.#runs.some((each) => each.ifindexes.some((ifindex) => ifindexes.includes(ifindex))))
      this.flush();
    this.#group = group;
    this.#runs.push({ ifindexes, payloads: [payload] });
  }

  flush(): void {
    const group = this.#group;
    if (group === null) return;
    const { senderTo, onSent } = this.#parts;
    const runs = this.#runs;
    this.#runs = [];
    this.#group = null;
    for (const { ifindexes, payloads } of runs) {
      const sender = senderTo(group, ifindexes);
      const refused = sender.send(payloads);
      onSent(group, sender.ports * payloads.length - refused.length, refused);
    }
  }
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((each, i) => each === b[i]));
