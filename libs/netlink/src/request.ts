import type { NetlinkMessage } from './codec/message';

/** One message to the kernel. */
export interface NetlinkRequest {
  /** What is asked, as an operator would say it; it becomes `KernelError.request`. Asked for only when the kernel refuses. */
  readonly label: () => string;
  readonly type: number;
  /** Beyond NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags: number;
  /** The family's header and its attributes. */
  readonly body: Uint8Array;
  /** The kernel says nothing when all is well (the frame of an nfnetlink batch). */
  readonly silent?: true;
  /** A better label, from the byte of the message that the kernel blames; null: none. */
  readonly blame?: (offset: number) => string | null;
}

/** What the kernel sent before its ack; often nothing. */
export type Reply = readonly NetlinkMessage[];

/** A request for objects of one type. */
export interface Query<T> extends NetlinkRequest {
  /** null: a message that is none of the objects asked for. Throws MalformedError. */
  readonly decode: (message: NetlinkMessage) => T | null;
  /** Where more than `above` messages come, only those are decoded that are wanted even then: by their headers, which costs next to nothing. */
  readonly crowd?: { readonly above: number; readonly isWanted: (message: NetlinkMessage) => boolean };
}
