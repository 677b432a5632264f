import type { Body } from '../wire/values';

export interface ArgSpec {
  readonly name: string;
  /** One complete D-Bus type. */
  readonly type: string;
}

export interface MethodSpec {
  readonly name: string;
  readonly in: readonly ArgSpec[];
  readonly out: readonly ArgSpec[];
  /** A call without the last argument, a descriptor, reaches the handler too, which says in its own words what is missing. */
  readonly fdMayLack?: true;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface SignalSpec {
  readonly name: string;
  readonly args: readonly ArgSpec[];
}

/** An interface as data: what its introspection says, and what its calls are checked against. */
export interface InterfaceSpec {
  readonly name: string;
  readonly methods: readonly MethodSpec[];
  readonly signals?: readonly SignalSpec[];
}

/** One call whose arguments have the method's types. */
export interface MethodCall {
  /** Unique name of the caller. */
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: Body;
  readonly fdCount: number;
  /** Moves the descriptor at an `h`'s index to the handler; what is not taken is closed once the handler has settled. */
  takeFd(index: number): number;
}

export interface Reply {
  /** A function is called as the reply is sent: no signal goes out between what it looks at and the reply. */
  readonly body?: Body | (() => Body);
  /** Moved: closed once the reply is queued. */
  readonly fds?: readonly number[];
}

/** Answers, or throws a DBusError for the caller; anything else thrown is a fault of ours: logged, and answered in neutral words. */
export type MethodHandler = (call: MethodCall) => Reply | Promise<Reply>;

/** One handler for each method of the interface. */
export type Handlers<S extends InterfaceSpec> = {
  readonly [Name in S['methods'][number]['name']]: MethodHandler;
};
