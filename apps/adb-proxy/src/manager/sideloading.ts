import { causeChain, millis, seconds, type Cancel, type Clock, type Logger } from '@pp/base';
import type { Bus } from '@pp/dbus';

/** spec/patchpanel.md 8, and ChromeOS's constants for the session manager. */
export const SESSION_MANAGER = 'org.chromium.SessionManager';
const QUERY = {
  destination: SESSION_MANAGER,
  path: '/org/chromium/SessionManager',
  interface: 'org.chromium.SessionManagerInterface',
  member: 'QueryAdbSideload',
};
const TIMEOUT = millis(200);
const AGAIN = seconds(5);
const TRIES = 5;

export interface SideloadingParts {
  readonly bus: Pick<Bus, 'call' | 'watchName'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when the answer becomes known. */
  readonly onAnswer: () => void;
}

/** Whether the owner of this device has switched ADB sideloading on, as the session manager says. It changes with a reboot only. */
export class Sideloading {
  readonly #parts: SideloadingParts;
  #answer: boolean | undefined;
  #tries = 0;
  #cancelAgain: Cancel = () => undefined;
  #stopWatching = (): void => undefined;

  constructor(parts: SideloadingParts) {
    this.#parts = parts;
  }

  get isEnabled(): boolean {
    return this.#answer === true;
  }

  /** For the status. */
  get state(): string {
    if (this.#answer !== undefined) return this.#answer ? 'enabled' : 'disabled';
    return this.#tries >= TRIES ? 'the session manager does not answer' : 'not answered yet';
  }

  /** Asks until there is an answer, five times; again for every session manager that appears. */
  async start(): Promise<void> {
    this.#stopWatching = await this.#parts.bus.watchName(SESSION_MANAGER, () => {
      this.#cancelAgain();
      this.#tries = 0;
      if (this.#answer === undefined) void this.#ask();
    });
  }

  /** Idempotent. */
  close(): void {
    this.#cancelAgain();
    this.#stopWatching();
  }

  async #ask(): Promise<void> {
    const { bus, clock, log, onAnswer } = this.#parts;
    this.#tries++;
    try {
      const { body, signature } = await bus.call({ ...QUERY, timeout: TIMEOUT });
      if (signature !== 'b') throw new Error(`the session manager answers with the types '${signature}'`);
      this.#answer = body[0] === true;
      log.info('sideloading', { state: this.state });
      onAnswer();
    } catch (fault) {
      log.debug('sideloading.no-answer', { error: causeChain(fault), tries: this.#tries });
      if (this.#tries < TRIES)
        this.#cancelAgain = clock.after('adb.sideloading', AGAIN, () => {
          void this.#ask();
        });
      else log.info('sideloading', { state: this.state });
    }
  }
}
