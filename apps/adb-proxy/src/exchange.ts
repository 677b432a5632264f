import { millis, seconds, type Cancel, type Clock, type Errno } from '@pp/base';
import type { Caller, CallerEvents, RelayedBytes } from '@pp/ports';
import type { Target } from './endpoint';

/** A target that has not answered by then is passed over. */
const CONNECT_DEADLINE = seconds(5);
/** A UNIX socket whose backlog is full (EAGAIN) is tried again after this. */
const RETRY = millis(20);

/** How an exchange went. */
export interface Outcome {
  readonly bytes: RelayedBytes;
  /** Not connected: the last refusal; connected: what broke it; null: both sides said all. */
  readonly code: Errno | null;
}

export interface ExchangeParts {
  readonly caller: Caller;
  readonly targets: readonly Target[];
  readonly clock: Clock;
  readonly onConnected: (target: Target) => void;
  /** Called once, not after `close`. The caller is closed. */
  readonly onOver: (outcome: Outcome) => void;
}

/** One caller: tries the targets in turn, then stands by while the kernel moves the bytes. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #events: CallerEvents;
  #tried = 0;
  #target: Target | undefined;
  #isConnected = false;
  #isOver = false;
  #cancelDeadline: Cancel = () => undefined;
  #cancelRetry: Cancel = () => undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#events = {
      onConnected: () => {
        this.#cancelDeadline();
        this.#isConnected = true;
        if (this.#target !== undefined) parts.onConnected(this.#target);
      },
      onRefused: (code) => {
        this.#next(code);
      },
      onEnd: (bytes, code) => {
        this.#end({ bytes, code });
      },
    };
  }

  get source(): string {
    return this.#parts.caller.address;
  }

  /** undefined until it is connected. */
  get target(): Target | undefined {
    return this.#isConnected ? this.#target : undefined;
  }

  get bytes(): RelayedBytes {
    return this.#parts.caller.bytes;
  }

  start(): void {
    this.#next('ENOENT'); // with no target at all
  }

  /** Closes both ends now. */
  close(): void {
    this.#isOver = true;
    this.#cancelDeadline();
    this.#cancelRetry();
    this.#parts.caller.close();
  }

  #next(code: Errno): void {
    this.#cancelDeadline();
    this.#cancelRetry();
    this.#target = this.#parts.targets[this.#tried++];
    if (this.#target === undefined) {
      const bytes = this.bytes;
      this.#parts.caller.close();
      this.#end({ bytes, code });
      return;
    }
    this.#cancelDeadline = this.#parts.clock.after('adb.connect', CONNECT_DEADLINE, () => {
      this.#next('ETIMEDOUT');
    });
    this.#try(this.#target);
  }

  #try(target: Target): void {
    const code = this.#parts.caller.connect(target, this.#events);
    if (code === 'EAGAIN')
      this.#cancelRetry = this.#parts.clock.after('adb.backlog', RETRY, () => {
        this.#try(target);
      });
    else if (code !== null) this.#next(code);
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.onOver(outcome);
  }
}
