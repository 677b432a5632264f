import { millis, type Millis } from '@pp/base';
import { addressKey, type AddressKey } from './keys';
import type { Limits } from './limits';

/** A message that waits until its destination has been found. */
export interface Waiting {
  readonly of: 'nd' | 'data';
  readonly frame: Uint8Array;
  /** Where it came in. */
  readonly ifindex: number;
}

interface Target {
  readonly address: Uint8Array;
  /** Where the first question for it came in. */
  readonly asker: number;
  readonly waiting: Waiting[];
  asked: number;
  dueAt: Millis;
}

interface Question {
  readonly address: Uint8Array;
  readonly asker: number;
  /** Where it is not, since it is asked for from there. */
  readonly from: ReadonlySet<number>;
}

/** What is to be done about targets now. */
export interface Due {
  readonly ask: readonly Question[];
  /** Nobody answered for these. */
  readonly unresolved: readonly Waiting[];
}

/** BOUNDED: `pendingTargets` destinations with `pendingPerTarget` messages each. */
export class Pending {
  readonly #targets = new Map<AddressKey, Target>();

  constructor(private readonly limits: Limits) {}

  get size(): number {
    return this.#targets.size;
  }

  /** Messages that wait. */
  get waiting(): number {
    let count = 0;
    for (const { waiting } of this.#targets.values()) count += waiting.length;
    return count;
  }

  has(address: Uint8Array): boolean {
    return this.#targets.size > 0 && this.#targets.has(addressKey(address));
  }

  /** 'ask': the first for its destination, which is to be asked for now. The frame is copied, if it `mayWait`. */
  add(address: Uint8Array, waiting: Waiting, mayWait: boolean, now: Millis): 'ask' | 'waits' | 'full' {
    const copies = mayWait ? [{ ...waiting, frame: waiting.frame.slice() }] : [];
    const known = this.#targets.get(addressKey(address));
    if (known !== undefined) {
      if (known.waiting.length >= this.limits.pendingPerTarget) return 'full';
      known.waiting.push(...copies);
      return 'waits';
    }
    if (this.#targets.size >= this.limits.pendingTargets) return 'full';
    const dueAt = millis(now + this.limits.solicitInterval);
    const target = { address: address.slice(), asker: waiting.ifindex, waiting: copies, asked: 1, dueAt };
    this.#targets.set(addressKey(address), target);
    return 'ask';
  }

  /** Its messages, which wait no longer. */
  take(address: Uint8Array): readonly Waiting[] {
    const key = addressKey(address);
    const target = this.#targets.get(key);
    this.#targets.delete(key);
    return target?.waiting ?? [];
  }

  due(now: Millis): Due {
    const ask: Question[] = [];
    const unresolved: Waiting[] = [];
    for (const [key, target] of this.#targets) {
      if (target.dueAt > now) continue;
      if (target.asked >= this.limits.solicits) {
        unresolved.push(...target.waiting);
        this.#targets.delete(key);
        continue;
      }
      target.asked += 1;
      target.dueAt = millis(now + this.limits.solicitInterval);
      const { address, asker, waiting } = target;
      ask.push({ address, asker, from: new Set([asker, ...waiting.map(({ ifindex }) => ifindex)]) });
    }
    return { ask, unresolved };
  }

  /** When `due` has something to say, or Infinity. */
  nextDue(): number {
    let next = Infinity;
    for (const { dueAt } of this.#targets.values()) next = Math.min(next, dueAt);
    return next;
  }
}
