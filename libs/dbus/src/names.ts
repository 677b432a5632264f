import { BUS, FROM_BUS } from './bus-daemon';
import type { Calls } from './calls';
import { DBUS_ERROR, DBusError } from './errors';
import type { MatchRule } from './match-rule';
import type { SignalHandler, Signals, Unsubscribe } from './signals';
import { isUniqueName } from './wire/names';

/** Told of the unique name behind a name, or undefined while nobody owns it. */
export type OwnerHandler = (owner: string | undefined) => void;

// D-Bus Specification, org.freedesktop.DBus.RequestName
const DO_NOT_QUEUE = 4;
const PRIMARY_OWNER = 1;
const ALREADY_OWNER = 4;

/** Owning names, and knowing who owns them. */
export class Names {
  readonly #calls: Calls;
  readonly #signals: Signals;
  readonly #lost = new Map<string, () => void>(); // BOUNDED: one per name that this program owns

  constructor(calls: Calls, signals: Signals) {
    this.#calls = calls;
    this.#signals = signals;
    signals.listen({ ...FROM_BUS, member: 'NameLost' }, ({ body: [name] }) => {
      this.#lose(String(name))?.();
    });
  }

  /** Does not queue for a name and does not let it be replaced. `onLost`: the bus took the name from us. */
  async request(name: string, onLost: () => void = () => undefined): Promise<'primary' | 'taken'> {
    const { body } = await this.#call('RequestName', 'su', [name, DO_NOT_QUEUE]);
    if (body[0] !== PRIMARY_OWNER && body[0] !== ALREADY_OWNER) return 'taken';
    this.#lost.set(name, onLost);
    return 'primary';
  }

  /** Releasing a name that is not ours does nothing. */
  async release(name: string): Promise<void> {
    this.#lose(name);
    await this.#call('ReleaseName', 's', [name]);
  }

  /** Tells the owner now and after every change. */
  async watch(name: string, onOwner: OwnerHandler): Promise<Unsubscribe> {
    let known: { readonly owner: string | undefined } | undefined;
    const tell = (owner: string | undefined): void => {
      if (known !== undefined && known.owner === owner) return;
      known = { owner };
      onOwner(owner);
    };
    const rule = { ...FROM_BUS, member: 'NameOwnerChanged', arg0: name };
    const stop = await this.#signals.subscribe(rule, ({ body: [, , owner] }) => {
      tell(owner === '' ? undefined : String(owner));
    });
    try {
      const owner = await this.#owner(name);
      if (known === undefined) tell(owner); // else a signal has said it, or something newer
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  /**
   * Signals from a well-known name carry their sender's unique name, and anybody may send us a signal directly: so the owner is
   * followed, and only the owner's signals match.
   */
  async subscribe(rule: MatchRule, handler: SignalHandler): Promise<Unsubscribe> {
    const { sender } = rule;
    if (sender === undefined || sender === BUS.destination || isUniqueName(sender)) {
      return this.#signals.subscribe(rule, handler);
    }
    let ownerNow: string | undefined;
    const unwatch = await this.watch(sender, (owner) => {
      ownerNow = owner;
    });
    try {
      const unsubscribe = await this.#signals.subscribe(rule, handler, () => ownerNow);
      return () => {
        unsubscribe();
        unwatch();
      };
    } catch (error) {
      unwatch();
      throw error;
    }
  }

  async #owner(name: string): Promise<string | undefined> {
    try {
      const { body } = await this.#call('GetNameOwner', 's', [name]);
      return String(body[0]);
    } catch (error) {
      if (error instanceof DBusError && error.name === DBUS_ERROR.nameHasNoOwner) return undefined;
      throw error;
    }
  }

  #lose(name: string): (() => void) | undefined {
    const onLost = this.#lost.get(name);
    this.#lost.delete(name);
    return onLost;
  }

  #call(member: string, signature: string, body: readonly unknown[]): ReturnType<Calls['call']> {
    return this.#calls.call({ ...BUS, member, signature, body });
  }
}
