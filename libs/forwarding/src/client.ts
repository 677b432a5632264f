import { backoff, causeChain, seconds, type Cancel, type Clock, type Logger } from '@pp/base';
import type { Bus, Signal } from '@pp/dbus';
import { decodeStrict, encode, type MessageName, type Messages } from '@pp/proto';
import { NeighborReports, type Neighbor } from './neighbor-reports';
import { FORWARDING, SERVICE } from './service';
import { ForwardingView, type Forwarding, type ForwardingDelta } from './view';

export interface ForwardingClientOptions {
  readonly bus: Pick<Bus, 'call' | 'subscribe' | 'watchName'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** All that is to be relayed now, and what became different. First called when the manager has told, even if it is nothing. */
  readonly onChange: (forwarding: Forwarding, delta: ForwardingDelta) => void;
}

/** What a helper has of the manager. */
export interface ForwardingClient {
  /** undefined until the manager has told. While no manager is there it is what the last one said: guests outlive it. */
  readonly forwarding: Forwarding | undefined;
  /** A manager is there, and its word is known. */
  readonly isCurrent: boolean;
  /** A guest holds this address. Told now or when a manager is there, and again to every later run of it. */
  neighborDetected(neighbor: Neighbor): void;
  neighborLost(neighbor: Neighbor): void;
  /** Idempotent. */
  close(): void;
}

/** More changes than come while one question is answered; beyond it the question is asked again. */
const MAX_EARLY = 1024;

/** Follows the manager on this bus, through its restarts. Resolves when the bus tells of it; rejects as `bus.subscribe` does. */
export async function forwardingClient(options: ForwardingClientOptions): Promise<ForwardingClient> {
  const follower = new Follower(options);
  await follower.start();
  return follower;
}

/**
 * A question is asked when a manager appears, when a change does not follow what is known, and again when there was no answer. Changes
 * that arrive before the answer are kept: the answer may be older than they are.
 */
class Follower implements ForwardingClient {
  readonly #options: ForwardingClientOptions;
  readonly #view = new ForwardingView();
  readonly #reports: NeighborReports;
  readonly #stops: (() => void)[] = []; // BOUNDED: two subscriptions
  #early: Messages['ForwardingChange'][] = []; // BOUNDED: MAX_EARLY
  #isThere = false;
  /** Aborts the question that is out; undefined: none is. */
  #question: AbortController | undefined;
  #delays = newDelays();
  #cancelRetry: Cancel = () => undefined;

  constructor(options: ForwardingClientOptions) {
    this.#options = options;
    this.#reports = new NeighborReports(options);
  }

  get forwarding(): Forwarding | undefined {
    return this.#view.instance === undefined ? undefined : this.#view.now;
  }

  get isCurrent(): boolean {
    return this.#isThere && this.#question === undefined;
  }

  async start(): Promise<void> {
    const { bus } = this.#options;
    const rule = { sender: SERVICE, ...FORWARDING, member: 'ForwardingChanged' };
    this.#stops.push(
      await bus.subscribe(rule, (signal) => {
        this.#hear(signal);
      }),
    );
    this.#stops.push(
      await bus.watchName(SERVICE, (owner) => {
        this.#meet(owner !== undefined);
      }),
    );
  }

  neighborDetected(neighbor: Neighbor): void {
    this.#reports.put(neighbor, 'there');
  }

  neighborLost(neighbor: Neighbor): void {
    this.#reports.put(neighbor, 'lost');
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#meet(false);
  }

  /** Another owner of the name, or none. */
  #meet(isThere: boolean): void {
    this.#isThere = isThere;
    this.#delays = newDelays();
    this.#reports.setManager(undefined);
    this.#question?.abort();
    this.#question = undefined;
    this.#cancelRetry();
    if (isThere) this.#ask();
  }

  #hear({ signature, body }: Signal): void {
    const change = signature === 'ay' ? decodeStrict('ForwardingChange', body[0] as Uint8Array) : undefined;
    if (change?.ok !== true) {
      this.#options.log.warn('forwarding.malformed', { reason: change?.sentence ?? `types '${signature}'` });
      return;
    }
    if (this.#question !== undefined) this.#early.push(change.value);
    else if (this.#isThere) this.#take(change.value);
    if (this.#early.length > MAX_EARLY) this.#ask();
  }

  #take(change: Messages['ForwardingChange']): void {
    const taken = this.#view.apply(change);
    if (taken === 'gap') this.#ask();
    else if (taken !== 'old') this.#tell(taken);
  }

  /** Drops the question that is out, if there is one. */
  #ask(): void {
    this.#cancelRetry();
    this.#question?.abort();
    this.#early = [];
    const question = new AbortController();
    this.#question = question;
    this.#answer(question.signal).then(
      (state) => {
        if (question === this.#question) this.#settle(state);
      },
      (fault: unknown) => {
        if (question === this.#question) this.#retry(fault);
      },
    );
  }

  async #answer(signal: AbortSignal): Promise<Messages['ForwardingState']> {
    const { body, signature } = await this.#options.bus.call({
      destination: SERVICE,
      ...FORWARDING,
      member: 'GetForwarding',
      signature: 'ay',
      body: [encode('GetForwardingRequest', {})],
      signal,
    });
    if (signature !== 'ay') throw new Error(`the manager answers with the types '${signature}'`);
    return decodedOrThrow('ForwardingState', body[0] as Uint8Array);
  }

  #settle(state: Messages['ForwardingState']): void {
    this.#question = undefined;
    this.#delays = newDelays();
    const isFirst = this.#view.instance === undefined;
    const delta = this.#view.reset(state);
    const { removed, added, isArcChanged, arePortsChanged = false } = delta;
    if (isFirst || isArcChanged || arePortsChanged || removed.length + added.length > 0) this.#tell(delta);
    this.#reports.setManager(state.instance);
    for (const change of this.#early.splice(0))
      if (change.instance === state.instance && this.isCurrent) this.#take(change);
  }

  #retry(fault: unknown): void {
    const delay = this.#delays.next().value;
    this.#options.log.warn('forwarding.no-answer', { error: causeChain(fault), againInMs: delay });
    this.#cancelRetry = this.#options.clock.after('forwarding.ask', delay, () => {
      this.#ask();
    });
  }

  #tell(delta: ForwardingDelta): void {
    const { now } = this.#view;
    if (delta.removed.length > 0) this.#reports.keepServed(now.pairs);
    this.#options.onChange(now, delta);
  }
}

const newDelays = (): ReturnType<typeof backoff> => backoff(seconds(0.2), seconds(30));

function decodedOrThrow<M extends MessageName>(name: M, bytes: Uint8Array): Messages[M] {
  const decoded = decodeStrict(name, bytes);
  if (!decoded.ok) throw new Error(`from the manager: ${decoded.sentence}`);
  return decoded.value;
}
