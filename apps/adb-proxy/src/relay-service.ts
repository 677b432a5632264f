import { millis, seconds, type Clock, type Errno, type Logger, type Millis } from '@pp/base';
import type { Caller, RelayedBytes, StreamRelay } from '@pp/ports';
import { Admission, type Limits } from './core/admission';
import { noRefusals, type Refusal } from './core/refusal';
import { targetText, type Target } from './endpoint';
import { Exchange, type Outcome } from './exchange';
import { Gate, gateName, type GateSpec } from './gate';

export interface RelayServiceParts {
  readonly relay: StreamRelay;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Limits;
}

/** One connection that is open. */
export interface OpenExchange {
  readonly exchange: Exchange;
  readonly gate: Gate;
  readonly since: Millis;
}

/** A stop waits for transfers under way: until no byte has moved for QUIET, and DRAIN at most. */
const QUIET = seconds(1);
const LOOK = millis(200);
const DRAIN = seconds(4); // a manager that stops its helpers waits for 5

/** Gates, the callers that came in by them, and where they are led. */
export class RelayService {
  readonly admission: Admission;
  readonly refused = noRefusals();
  readonly #parts: RelayServiceParts;
  readonly #gates = new Map<string, Gate>(); // BOUNDED: by the command line and the manager's guests
  /** Gates whose time is over, by name: they are not opened again. BOUNDED: by the command line. */
  readonly #expired = new Map<string, Gate>();
  /** When the time of a gate is over, by its name: it goes on while the gate is not wanted. BOUNDED: by the command line. */
  readonly #offAt = new Map<string, Millis>();
  readonly #open = new Set<OpenExchange>(); // BOUNDED: by the admission
  readonly #closedBytes = { fromClient: 0, fromTarget: 0 };
  #targets: readonly Target[] = [];
  #isStopping = false;
  broken = 0;
  /** Of the last try. */
  targetState = 'not tried yet';

  constructor(parts: RelayServiceParts) {
    this.#parts = parts;
    this.admission = new Admission(parts.limits);
  }

  get gates(): readonly Gate[] {
    return [...this.#gates.values(), ...this.#expired.values()];
  }

  get open(): Iterable<OpenExchange> {
    return this.#open;
  }

  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** Bytes handed on since the start. */
  get bytes(): RelayedBytes {
    let { fromClient, fromTarget } = this.#closedBytes;
    for (const { exchange } of this.#open) {
      fromClient += exchange.bytes.fromClient;
      fromTarget += exchange.bytes.fromTarget;
    }
    return { fromClient, fromTarget };
  }

  /** Listens there and nowhere else; throws KernelError where a place cannot be listened at. */
  openGates(specs: readonly GateSpec[]): void {
    for (const spec of specs) this.#gateOf(spec).open();
  }

  /** What there is to be from now on: other targets end all connections, a gate that is gone ends its own. */
  set({
    gates,
    targets,
  }: {
    readonly gates: readonly GateSpec[];
    readonly targets: readonly Target[];
  }): void {
    if (this.#isStopping) return;
    const isOther = JSON.stringify(targets) !== JSON.stringify(this.#targets);
    this.#targets = targets;
    if (isOther) this.targetState = 'not tried yet';
    const wanted = new Set(gates.map(gateName));
    for (const [name, gate] of this.#gates) {
      if (wanted.has(name)) continue;
      gate.close();
      this.#gates.delete(name);
    }
    for (const each of this.#open) if (isOther || !wanted.has(each.gate.name)) this.#drop(each);
    for (const spec of gates) {
      const name = gateName(spec);
      if (!this.#gates.has(name) && !this.#expired.has(name)) this.#gateOf(spec).keepOpen();
    }
  }

  /** Takes nobody in any more; resolves when those inside have gone, are quiet, or had time enough. Then all is closed. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    for (const gate of this.#gates.values()) gate.close();
    await this.#quiet();
    for (const each of this.#open) this.#drop(each);
  }

  #gateOf(spec: GateSpec): Gate {
    const { relay, clock, log } = this.#parts;
    const gate: Gate = new Gate(spec, {
      relay,
      clock,
      log,
      offAt: this.#offAtOf(spec),
      onCaller: (caller, by) => {
        this.#receive(caller, by);
      },
      onAutoOff: (over) => {
        this.#gates.delete(over.name);
        this.#expired.set(over.name, over);
        for (const each of this.#open) if (each.gate === over) this.#drop(each);
      },
    });
    this.#gates.set(gate.name, gate);
    return gate;
  }

  #offAtOf(spec: GateSpec): Millis | null {
    if (spec.autoOff === null) return null;
    const name = gateName(spec);
    const offAt = this.#offAt.get(name) ?? millis(this.#parts.clock.now() + spec.autoOff);
    this.#offAt.set(name, offAt);
    return offAt;
  }

  #receive(caller: Caller, gate: Gate): void {
    const refusal = this.#isStopping ? 'stopping' : this.admission.enter(caller.address, gate.spec.from);
    if (refusal !== null) {
      this.#refuse(caller, refusal);
      return;
    }
    const { clock, log } = this.#parts;
    const open: OpenExchange = {
      gate,
      since: clock.now(),
      exchange: new Exchange({
        caller,
        targets: this.#targets,
        clock,
        onConnected: (target) => {
          this.#told(targetText(target), null);
        },
        onOver: (outcome) => {
          this.#over(open, outcome);
        },
      }),
    };
    this.#open.add(open);
    log.debug('connection.opened', { source: caller.address, at: gate.name });
    open.exchange.start();
  }

  #refuse(caller: Caller, refusal: Refusal): void {
    this.refused[refusal]++;
    this.#parts.log.debug('connection.refused', { source: caller.address, reason: refusal });
    caller.close();
  }

  #over(open: OpenExchange, { bytes, code }: Outcome): void {
    this.#forget(open, bytes);
    if (open.exchange.target === undefined) {
      this.refused['target-down']++;
      this.#told(this.#targets.map(targetText).join(', '), code);
    } else if (code !== null) this.broken++;
    this.#parts.log.debug('connection.closed', {
      source: open.exchange.source,
      ...bytes,
      error: code ?? undefined,
    });
  }

  /** One line when it changes, not for each connection. */
  #told(target: string, code: Errno | null): void {
    const state = code === null ? `up: ${target}` : `down: ${code}`;
    if (state === this.targetState) return;
    this.targetState = state;
    if (code === null) this.#parts.log.info('target.up', { target });
    else this.#parts.log.warn('target.down', { targets: target, error: code });
  }

  #drop(open: OpenExchange): void {
    const { bytes } = open.exchange;
    open.exchange.close();
    this.#forget(open, bytes);
  }

  #forget(open: OpenExchange, { fromClient, fromTarget }: RelayedBytes): void {
    this.#open.delete(open);
    this.admission.leave(open.exchange.source);
    this.#closedBytes.fromClient += fromClient;
    this.#closedBytes.fromTarget += fromTarget;
  }

  #quiet(): Promise<void> {
    const { clock } = this.#parts;
    const end = clock.now() + DRAIN;
    const total = (): number => this.bytes.fromClient + this.bytes.fromTarget;
    return new Promise((resolve) => {
      const look = (before: number, since: number): void => {
        const [now, sum] = [clock.now(), total()];
        const quietSince = sum === before ? since : now;
        if (this.#open.size === 0 || now - quietSince >= QUIET || now >= end) resolve();
        else
          clock.after('adb.drain', LOOK, () => {
            look(sum, quietSince);
          });
      };
      look(total(), clock.now());
    });
  }
}
