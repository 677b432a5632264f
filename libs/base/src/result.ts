/** Why a request was refused, as one sentence for a person, and which argument it is about. */
export interface Refusal {
  readonly ok: false;
  readonly reason: RefusalReason;
  readonly sentence: string;
}

/** Closed set; each is the last part of a D-Bus error name `org.chromium.PatchPanel.Error.*`. */
export type RefusalReason =
  | 'InvalidArgument'
  | 'NotFound'
  | 'AlreadyExists'
  | 'ResourceExhausted'
  | 'PermissionDenied'
  | 'Failed';

export interface Accepted<T> {
  readonly ok: true;
  readonly value: T;
}

/** A request that was checked: a value that cannot be wrong, or the reason it was refused. Bad input is a value, not an exception. */
export type Checked<T> = Accepted<T> | Refusal;

export const accept = <T>(value: T): Accepted<T> => ({ ok: true, value });

/** `sentence` names the value and says what to write instead; no full stop needed, no stack, no prefix. */
export const refuse = (reason: RefusalReason, sentence: string): Refusal => ({ ok: false, reason, sentence });
