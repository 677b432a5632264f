import type { Checked } from '@pp/base';

/** Who calls, as the bus says. */
export interface Caller {
  readonly uid: number;
  readonly pid: number;
}

/** One call of org.chromium.PatchPanel: a serialized protobuf and at most one descriptor. */
export interface ApiCall {
  /** Refused: it has left the bus before it was asked for. What needs no caller is done all the same. */
  readonly caller: Checked<Caller>;
  readonly body: Uint8Array;
  /** The descriptor that came with the call, from now on the taker's; null: there was none. What nobody takes is closed. */
  takeFd(): number | null;
}

/** Answers with the serialized reply. */
export type ApiMethod = (call: ApiCall) => Promise<Checked<Uint8Array>>;

/** Answers with what makes the reply as it is sent, so that it is in order with the signals. */
export type ViewMethod = (call: ApiCall) => Promise<Checked<() => Uint8Array>>;
