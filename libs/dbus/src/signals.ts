import { causeChain, type Logger } from '@pp/base';
import { BUS } from './bus-daemon';
import type { Calls } from './calls';
import type { FdBundle } from './fd-bundle';
import { matchesBody, matchesHeader, matchRuleText, type MatchRule } from './match-rule';
import { decodeBody, type RawBody } from './wire/body';
import type { SignalHeader } from './wire/header';
import type { Body } from './wire/values';

export interface Signal {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: Body;
}

export type SignalHandler = (signal: Signal) => void;

/** Ends a subscription; idempotent. */
export type Unsubscribe = () => void;

interface Subscription {
  readonly rule: MatchRule;
  /** The unique name behind the rule's sender now; undefined: nobody owns it. */
  readonly senderNow: () => string | undefined;
  readonly handler: SignalHandler;
}

/** Hands signals to those who subscribed, found by member. Descriptors that come with a signal are closed. */
export class Signals {
  readonly #calls: Calls;
  readonly #log: Logger;
  readonly #byMember = new Map<string, Set<Subscription>>(); // BOUNDED: by the subscriptions in the program text

  constructor(calls: Calls, log: Logger) {
    this.#calls = calls;
    this.#log = log;
  }

  /** As `listen`, and asks the bus for these signals. Rejects with a DBusError when the bus refuses. */
  async subscribe(
    rule: MatchRule,
    handler: SignalHandler,
    senderNow?: () => string | undefined,
  ): Promise<Unsubscribe> {
    const stop = this.listen(rule, handler, senderNow);
    const match = { ...BUS, signature: 's', body: [matchRuleText(rule)] };
    try {
      await this.#calls.call({ ...match, member: 'AddMatch' });
    } catch (error) {
      stop();
      throw error;
    }
    return () => {
      if (!stop()) return;
      this.#calls.call({ ...match, member: 'RemoveMatch' }).catch((error: unknown) => {
        this.#log.debug('dbus.remove-match', { rule: matchRuleText(rule), error: causeChain(error) });
      });
    };
  }

  /** For signals that the bus sends to us anyway. The returned function is true the first time. */
  listen(
    rule: MatchRule,
    handler: SignalHandler,
    senderNow = (): string | undefined => rule.sender,
  ): () => boolean {
    const member = rule.member ?? '';
    const subscription: Subscription = { rule, senderNow, handler };
    const subscriptions = this.#byMember.get(member) ?? new Set();
    this.#byMember.set(member, subscriptions.add(subscription));
    return () => subscriptions.delete(subscription);
  }

  receive(header: SignalHeader, raw: RawBody | undefined, fds: FdBundle): void {
    fds.close();
    const wanted = this.#wanting(header);
    if (wanted.length === 0) return;
    const decoded = raw === undefined ? ({ ok: false, why: 'it is too large' } as const) : decodeBody(raw);
    if (!decoded.ok) {
      this.#log.debug('dbus.signal-dropped', {
        member: header.member,
        sender: header.sender,
        why: decoded.why,
      });
      return;
    }
    const { body } = decoded;
    const { sender = '', path, interface: interfaceName, member, signature } = header;
    for (const { rule, handler } of wanted) {
      if (matchesBody(rule, body))
        this.#tell(handler, { sender, path, interface: interfaceName, member, signature, body });
    }
  }

  #wanting(header: SignalHeader): Subscription[] {
    const candidates = [...(this.#byMember.get(header.member) ?? []), ...(this.#byMember.get('') ?? [])];
    return candidates.filter(
      ({ rule, senderNow }) =>
        matchesHeader(rule, header) && (rule.sender === undefined || senderNow() === header.sender),
    );
  }

  #tell(handler: SignalHandler, signal: Signal): void {
    try {
      handler(signal);
    } catch (error) {
      this.#log.error('dbus.signal-handler', { member: signal.member, error: causeChain(error) });
    }
  }
}
