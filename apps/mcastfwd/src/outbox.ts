import type { KernelError } from '@pp/base';
import type { GroupPort } from '@pp/ports';
import type { Group } from './core/group';

export interface OutboxParts {
  readonly portOf: (group: Group, ifindex: number) => GroupPort | undefined;
  /** What became of payloads that went to a group; `sent` counts those that a port was there for and the kernel took. */
  readonly onSent: (group: Group, sent: number, refused: readonly KernelError[]) => void;
}

/** Gathers what goes to a group, so that each interface costs one system call for all of it. Payloads are borrowed until `flush`. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #waiting = new Map<number, Uint8Array[]>(); // BOUNDED: by the interfaces
  #group: Group | null = null;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  add(group: Group, ifindex: number, payload: Uint8Array): void {
    if (group !== this.#group) this.flush();
    this.#group = group;
    const payloads = this.#waiting.get(ifindex);
    if (payloads === undefined) this.#waiting.set(ifindex, [payload]);
    else payloads.push(payload); // BOUNDED: by a batch of datagrams and those that were held back
  }

  flush(): void {
    const group = this.#group;
    if (group === null) return;
    for (const [ifindex, payloads] of this.#waiting) {
      const port = this.#parts.portOf(group, ifindex);
      if (port === undefined) continue; // the interface has just gone
      const refused = port.send(payloads);
      this.#parts.onSent(group, payloads.length - refused.length, refused);
    }
    this.#waiting.clear();
    this.#group = null;
  }
}
