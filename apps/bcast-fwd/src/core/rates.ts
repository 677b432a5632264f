import { TokenBucket, type Millis } from '@pp/base';

/** BOUNDED: slots of fixed tables. Sources that share a slot share its rate. */
const SLOTS = 1 << 12;

/** How much a source, and an interface, may send. A perSecond of 0: as much as it likes. */
export class Rates {
  readonly #tokens = new Float64Array(SLOTS);
  readonly #at = new Float64Array(SLOTS).fill(-Infinity);
  readonly #interfaces = new Map<number, TokenBucket>(); // BOUNDED: by the links, see `forget`

  constructor(
    private readonly perSecond: number,
    private readonly interfaceFactor: number,
  ) {}

  take(ifindex: number, source: number, now: Millis): boolean {
    if (this.perSecond === 0) return true;
    return this.#takeOfSource(ifindex, source, now) && this.#bucketOf(ifindex, now).take(now);
  }

  forget(ifindex: number): void {
    this.#interfaces.delete(ifindex);
  }

  #takeOfSource(ifindex: number, source: number, now: Millis): boolean {
    const slot = (Math.imul(source ^ Math.imul(ifindex, 0x9e3779b1), 0x85ebca6b) >>> 20) & (SLOTS - 1);
    const gained = ((now - (this.#at[slot] ?? 0)) / 1000) * this.perSecond;
    const tokens = Math.min(this.perSecond, (this.#tokens[slot] ?? 0) + gained);
    this.#at[slot] = now;
    this.#tokens[slot] = tokens < 1 ? tokens : tokens - 1;
    return tokens >= 1;
  }

  #bucketOf(ifindex: number, now: Millis): TokenBucket {
    const known = this.#interfaces.get(ifindex);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(this.perSecond * this.interfaceFactor, now);
    this.#interfaces.set(ifindex, bucket);
    return bucket;
  }
}
