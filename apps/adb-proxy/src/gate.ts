import {
  backoff,
  KernelError,
  millis,
  seconds,
  type Cancel,
  type Clock,
  type Errno,
  type Logger,
  type Millis,
} from '@pp/base';
import type { Caller, ListenPlace, RelayListener, StreamRelay } from '@pp/ports';
import { endpointText } from './endpoint';
import type { Sources } from './sources';

/** Somewhere to listen, and who may come in there. */
export interface GateSpec {
  readonly place: ListenPlace;
  /** null: everybody who can reach the place. */
  readonly from: Sources | null;
  /** Closed for good when it was wanted for so long, open or not; null: never. */
  readonly autoOff: Millis | null;
}

export interface GateParts {
  readonly relay: Pick<StreamRelay, 'listen'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** When its time is over, by the clock. */
  readonly offAt: Millis | null;
  readonly onCaller: (caller: Caller, gate: Gate) => void;
  readonly onAutoOff: (gate: Gate) => void;
}

/** Where nobody can be accepted (no descriptors), it is tried again after this. */
const PAUSE = millis(100);

export const gateName = ({ place: { address, port, device } }: GateSpec): string =>
  `${endpointText({ address, port })}${device === undefined ? '' : ` on ${device}`}`;

/** A listener that is kept open: what cannot be listened at yet is tried again. */
export class Gate {
  readonly spec: GateSpec;
  readonly #parts: GateParts;
  #listener: RelayListener | undefined;
  #state = 'closed';
  #isFaulty = false;
  readonly #delays = backoff(seconds(0.2), seconds(30));
  #cancelRetry: Cancel = () => undefined;
  #cancelPause: Cancel = () => undefined;
  #cancelAutoOff: Cancel = () => undefined;
  accepted = 0;

  constructor(spec: GateSpec, parts: GateParts) {
    this.spec = spec;
    this.#parts = parts;
  }

  get name(): string {
    return gateName(this.spec);
  }

  /** "open", or why it is not. */
  get state(): string {
    return this.#state;
  }

  /** Throws KernelError where it cannot be opened. */
  open(): void {
    const { relay, clock, log, offAt, onAutoOff } = this.#parts;
    this.#listener = relay.listen(this.spec.place, {
      onCaller: (caller) => {
        this.#isFaulty = false;
        this.accepted++;
        this.#parts.onCaller(caller, this);
      },
      onFault: (code) => {
        this.#pause(code);
      },
    });
    this.#state = 'open';
    log.info('listening', { at: this.name });
    if (offAt === null) return;
    this.#cancelAutoOff = clock.after('adb.auto-off', millis(Math.max(0, offAt - clock.now())), () => {
      this.close();
      this.#state = 'off: its time was over';
      log.info('auto-off', { at: this.name });
      onAutoOff(this);
    });
  }

  /** Opens it now or as soon as that is possible. */
  keepOpen(): void {
    try {
      this.open();
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      const state = `waits: ${fault.code}`;
      if (state !== this.#state) this.#parts.log.warn('listen.refused', { at: this.name, error: fault.code });
      this.#state = state;
      this.#cancelRetry = this.#parts.clock.after('adb.listen', this.#delays.next().value, () => {
        this.keepOpen();
      });
    }
  }

  /** Idempotent. Those who came in stay. */
  close(): void {
    this.#cancelRetry();
    this.#cancelPause();
    this.#cancelAutoOff();
    this.#listener?.close();
    this.#listener = undefined;
    this.#state = 'closed';
  }

  #pause(code: Errno): void {
    if (!this.#isFaulty) this.#parts.log.warn('accept.refused', { at: this.name, error: code });
    this.#isFaulty = true;
    this.#listener?.pause();
    this.#cancelPause = this.#parts.clock.after('adb.accept', PAUSE, () => this.#listener?.resume());
  }
}
