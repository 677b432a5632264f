import { backoff, causeChain, millis, seconds, type Cancel, type Clock, type Logger } from '@pp/base';
import type { Bus } from '@pp/dbus';
import { FORWARDING, SERVICE } from '@pp/forwarding';
import { decodeStrict, encode, type Messages } from '@pp/proto';

export interface FollowerOptions {
  readonly bus: Pick<Bus, 'call' | 'subscribe' | 'watchName'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCounted: (counted: Messages['CountedState']) => void;
}

/** Changes that come together are asked for once. */
const GATHERING = millis(20);

/** Asks the manager whom to count: when it appears, when it says that this changed, and again while it gives no answer. While there is none, its last word holds. */
export class ManagerFollower {
  readonly #options: FollowerOptions;
  readonly #stops: (() => void)[] = []; // BOUNDED: two subscriptions
  #state: 'absent' | 'asked' | 'followed' = 'absent';
  /** Aborts the question that is out. */
  #question: AbortController | null = null;
  /** Resolves when the last question was answered, or was not. */
  #asked = Promise.resolve();
  #delays = newDelays();
  #cancel: Cancel = () => undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** For the status. */
  get state(): string {
    return this.#state;
  }

  /** Resolves when the bus has told of the manager and, where there is one, its first word is there or it gave none. */
  async start(): Promise<void> {
    const { bus } = this.#options;
    const changed = () => {
      if (this.#state !== 'absent') this.#askSoon(GATHERING);
    };
    const rule = { sender: SERVICE, ...FORWARDING, member: 'CountedChanged' };
    this.#stops.push(await bus.subscribe(rule, changed));
    this.#stops.push(
      await bus.watchName(SERVICE, (owner) => {
        this.#meet(owner !== undefined);
      }),
    );
    await this.#asked;
  }

  /** Idempotent. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#meet(false);
  }

  #meet(isThere: boolean): void {
    this.#cancel();
    this.#question?.abort();
    this.#question = null;
    this.#delays = newDelays();
    this.#state = isThere ? 'asked' : 'absent';
    if (isThere) this.#ask();
  }

  #askSoon(delay: ReturnType<typeof millis>): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after('counted.ask', delay, () => {
      this.#ask();
    });
  }

  /** Drops the question that is out: its answer may be older than what made us ask. */
  #ask(): void {
    this.#question?.abort();
    const question = new AbortController();
    this.#question = question;
    this.#asked = this.#answer(question.signal).then(
      (counted) => {
        if (question !== this.#question) return;
        this.#delays = newDelays();
        this.#state = 'followed';
        this.#options.onCounted(counted);
      },
      (fault: unknown) => {
        if (question !== this.#question) return;
        const delay = this.#delays.next().value;
        this.#options.log.warn('counted.no-answer', { error: causeChain(fault), againInMs: delay });
        this.#askSoon(delay);
      },
    );
  }

  async #answer(signal: AbortSignal): Promise<Messages['CountedState']> {
    const call = { destination: SERVICE, ...FORWARDING, member: 'GetCounted', signature: 'ay' };
    const { body, signature } = await this.#options.bus.call({
      ...call,
      body: [encode('CountedRequest', {})],
      signal,
    });
    if (signature !== 'ay') throw new Error(`the manager answers with the types '${signature}'`);
    const decoded = decodeStrict('CountedState', body[0] as Uint8Array);
    if (!decoded.ok) throw new Error(`from the manager: ${decoded.sentence}`);
    return decoded.value;
  }
}

const newDelays = (): ReturnType<typeof backoff> => backoff(seconds(0.2), seconds(30));
