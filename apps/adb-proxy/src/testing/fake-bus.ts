import {
  DBusError,
  type Body,
  type CallReply,
  type CallRequest,
  type OwnerHandler,
  type Signal,
  type SignalHandler,
} from '@pp/dbus';

type Answer = () => CallReply | Promise<CallReply>;

export const replyOf = (signature: string, ...body: Body): CallReply => ({ signature, body, fds: [] });

/** A bus in memory: who owns which name, what each member answers, and signals by hand. */
export class FakeBus {
  /** Members in the order they were called. */
  readonly called: string[] = [];
  readonly answers = new Map<string, Answer>();
  readonly #owners = new Map<string, string>();
  readonly #watchers = new Map<string, OwnerHandler[]>();
  readonly #handlers = new Map<string, SignalHandler[]>();

  call(request: CallRequest): Promise<CallReply> {
    this.called.push(request.member);
    const answer = this.answers.get(request.member);
    return answer === undefined
      ? Promise.reject(
          new DBusError('org.freedesktop.DBus.Error.ServiceUnknown', `no ${request.destination}`),
        )
      : Promise.resolve(answer());
  }

  subscribe(rule: { readonly member?: string }, handler: SignalHandler): Promise<() => void> {
    const member = rule.member ?? '';
    this.#handlers.set(member, [...(this.#handlers.get(member) ?? []), handler]);
    return Promise.resolve(() => {
      this.#handlers.delete(member);
    });
  }

  watchName(name: string, onOwner: OwnerHandler): Promise<() => void> {
    this.#watchers.set(name, [...(this.#watchers.get(name) ?? []), onOwner]);
    onOwner(this.#owners.get(name));
    return Promise.resolve(() => {
      this.#watchers.delete(name);
    });
  }

  own(name: string, owner: string | undefined): void {
    if (owner === undefined) this.#owners.delete(name);
    else this.#owners.set(name, owner);
    for (const each of this.#watchers.get(name) ?? []) each(owner);
  }

  signal(member: string, signature: string, ...body: readonly unknown[]): void {
    for (const each of this.#handlers.get(member) ?? []) each({ signature, body } as unknown as Signal);
  }
}

/** Promises that are settled have told it. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
