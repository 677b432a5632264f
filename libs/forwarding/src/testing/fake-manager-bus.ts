import type { Bus, CallReply, CallRequest, OwnerHandler, Signal, SignalHandler } from '@pp/dbus';
import { DBusError } from '@pp/dbus';
import { decodeStrict, encode, type Init, type Messages } from '@pp/proto';
import type { ForwardingPair } from '../view';

export const pair = (upstream: string, downstream: string, ipv6 = true): ForwardingPair => ({
  upstream,
  downstream,
  ipv6,
  multicast: true,
  broadcast: true,
});

/** A manager and the bus to it, in memory: answers wait until they are let go, signals can get lost. */
export class FakeManagerBus implements Pick<Bus, 'call' | 'subscribe' | 'watchName'> {
  pairs: ForwardingPair[] = [];
  arc: Init<Messages['ForwardingArc']> | undefined;
  /** Reports as "+vmtap0 2001:.." in the order of their arrival. */
  readonly reports: string[] = [];
  /** The name of a D-Bus error for every report, or undefined. */
  reportError: string | undefined;
  /** Another one for every question. */
  questionError: string | undefined;
  questions = 0;
  #instance = 0n;
  #generation = 0n;
  #isUp = false;
  #onOwner: OwnerHandler = () => undefined;
  #onSignal: SignalHandler = () => undefined;
  #answers: (() => void)[] = [];

  subscribe(_rule: object, handler: SignalHandler): Promise<() => void> {
    this.#onSignal = handler;
    return Promise.resolve(() => (this.#onSignal = () => undefined));
  }

  watchName(_name: string, onOwner: OwnerHandler): Promise<() => void> {
    this.#onOwner = onOwner;
    onOwner(this.#isUp ? ':1.1' : undefined);
    return Promise.resolve(() => (this.#onOwner = () => undefined));
  }

  call({ member, body = [], signal }: CallRequest): Promise<CallReply> {
    if (!this.#isUp)
      return Promise.reject(new DBusError('org.freedesktop.DBus.Error.ServiceUnknown', 'gone'));
    const [bytes] = body as [Uint8Array];
    return member === 'GetForwarding' ? this.#question(bytes, signal) : this.#report(member, bytes);
  }

  /** A new run of the manager takes the name. */
  start(): void {
    this.#instance += 1n;
    this.#generation = 0n;
    this.#isUp = true;
    this.#onOwner(`:1.${String(this.#instance)}`);
  }

  kill(): void {
    this.#isUp = false;
    this.#answers = [];
    this.#onOwner(undefined);
  }

  change(
    removed: readonly ForwardingPair[],
    added: readonly ForwardingPair[],
    told: 'told' | 'lost' = 'told',
  ) {
    const gone = new Set(removed.map((each) => JSON.stringify(each)));
    this.pairs = [...this.pairs.filter((each) => !gone.has(JSON.stringify(each))), ...added];
    this.#generation += 1n;
    const [instance, generation, arc] = [this.#instance, this.#generation, this.arc];
    if (told === 'told')
      this.signal(encode('ForwardingChange', { instance, generation, removed, added, arc }));
  }

  signal(bytes: Uint8Array): void {
    this.#onSignal({ signature: 'ay', body: [bytes] } as unknown as Signal);
  }

  /** Lets the answers to all questions arrive; each is as of the time of its question. */
  async answer(): Promise<void> {
    for (const each of this.#answers.splice(0)) each();
    await settled();
  }

  #question(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<CallReply> {
    const question = decodeStrict('GetForwardingRequest', bytes);
    if (!question.ok) throw new Error(question.sentence);
    this.questions++;
    const [instance, generation, pairs, arc] = [this.#instance, this.#generation, this.pairs, this.arc];
    const state = encode('ForwardingState', { instance, generation, pairs, arc });
    const error = this.questionError;
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reject(new Error('aborted'));
      });
      this.#answers.push(() => {
        if (error !== undefined) reject(new DBusError(error, 'no'));
        else resolve({ signature: 'ay', body: [state], fds: [] });
      });
    });
  }

  #report(member: string, bytes: Uint8Array): Promise<CallReply> {
    const event = decodeStrict('NeighborEvent', bytes);
    if (!event.ok) throw new Error(event.sentence);
    const { ifname, upstream, address } = event.value;
    this.reports.push(
      `${member === 'NeighborDetected' ? '+' : '-'}${upstream} ${ifname} ${String(address[15])}`,
    );
    if (this.reportError !== undefined) return Promise.reject(new DBusError(this.reportError, 'no'));
    return Promise.resolve({ signature: 'ay', body: [new Uint8Array()], fds: [] });
  }
}

/** Promises that are settled have told it. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
