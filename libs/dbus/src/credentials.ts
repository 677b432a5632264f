import { accept, BoundedMap, refuse, type Checked } from '@pp/base';
import { BUS, FROM_BUS } from './bus-daemon';
import type { Calls } from './calls';
import { DBUS_ERROR, DBusError } from './errors';
import type { Signals } from './signals';
import { Variant } from './wire/values';

/** Who is behind a unique name, as the kernel told the bus. */
export interface Credentials {
  readonly uid: number;
  readonly pid: number;
}

const MAX_CACHED = 4096;

/** Asks the bus once per unique name; forgets a name when it leaves, before its pid can be another process. */
export class CredentialsCache {
  readonly #calls: Calls;
  readonly #signals: Signals;
  readonly #cached = new BoundedMap<string, Promise<Checked<Credentials>>>(MAX_CACHED, () => undefined);
  #departures: Promise<void> | undefined;

  constructor(calls: Calls, signals: Signals) {
    this.#calls = calls;
    this.#signals = signals;
  }

  /** Refused as NotFound when the peer has left the bus; never rejects. */
  get(sender: string): Promise<Checked<Credentials>> {
    const cached = this.#cached.get(sender);
    if (cached !== undefined) return cached;
    const asked = this.#ask(sender);
    this.#cached.set(sender, asked);
    return asked;
  }

  async #ask(sender: string): Promise<Checked<Credentials>> {
    // Both calls go out at once: the bus answers in order, so no departure after the answer is missed.
    this.#departures ??= this.#watchDepartures();
    const answer = this.#calls.call({
      ...BUS,
      member: 'GetConnectionCredentials',
      signature: 's',
      body: [sender],
    });
    try {
      const [{ body }] = await Promise.all([answer, this.#departures]);
      return fromDict(sender, body[0]);
    } catch (error) {
      if (!(error instanceof DBusError)) throw error;
      this.#cached.delete(sender);
      if (error.name === DBUS_ERROR.nameHasNoOwner)
        return refuse('NotFound', `the caller ${sender} has left the bus`);
      return refuse('Failed', `the bus does not say who ${sender} is: ${error.message}`);
    }
  }

  async #watchDepartures(): Promise<void> {
    try {
      await this.#signals.subscribe({ ...FROM_BUS, member: 'NameOwnerChanged', arg2: '' }, ({ body }) => {
        this.#cached.delete(String(body[0]));
      });
    } catch (error) {
      this.#departures = undefined; // the next one asks again
      throw error;
    }
  }
}

function fromDict(sender: string, dict: unknown): Checked<Credentials> {
  const number = (key: string): number | undefined => {
    const variant: unknown = dict instanceof Map ? dict.get(key) : undefined;
    return variant instanceof Variant && typeof variant.value === 'number' ? variant.value : undefined;
  };
  const [uid, pid] = [number('UnixUserID'), number('ProcessID')];
  if (uid === undefined || pid === undefined)
    return refuse('Failed', `the bus does not know the uid and pid of ${sender}`);
  return accept({ uid, pid });
}
