declare const unit: unique symbol;

/** A duration or a monotonic instant in milliseconds. */
export type Millis = number & { readonly [unit]: 'ms' };

export const millis = (n: number): Millis => n as Millis;
export const seconds = (n: number): Millis => (n * 1000) as Millis;

/** Cancels a timer; idempotent. */
export type Cancel = () => void;

/** Time comes from here and nowhere else. Timers have names, so that a hang can be told by name. */
export interface Clock {
  /** Monotonic; only differences mean anything. */
  now(): Millis;
  /** Runs `task` once after `delay`. The timer does not keep the process alive by itself. */
  after(name: string, delay: Millis, task: () => void): Cancel;
}
