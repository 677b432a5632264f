/** Why bytes are not the message they claim to be. Closed: counters are kept by it. */
export type DecodeFault =
  /** Fewer bytes than the fixed part has, or than a length field claims. */
  | 'truncated'
  /** Bytes after the end of the message. */
  | 'slack'
  /** A version field with another version. */
  | 'version'
  /** A length field that cannot be: not a multiple, or not what this type has. */
  | 'length'
  /** An option of length zero, RFC 4861 §6.1, §7.1. */
  | 'option-zero'
  /** An option that goes past the end of its message. */
  | 'option-overrun'
  /** A checksum that is not that of the bytes. */
  | 'checksum'
  /** A message type that this decoder does not know. */
  | 'type';

/** What bytes say, or why they say nothing. Bad input is a value, not an exception. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: DecodeFault };

export const decoded = <T>(value: T): Decoded<T> => ({ ok: true, value });
export const undecoded = (fault: DecodeFault): Decoded<never> => ({ ok: false, fault });
