import type { DropReason } from './drop-reason';
import type { Group } from './group';
import type { Session } from './sessions';

/** What the relay wants done, in order. Payloads are valid as long as the packet that they were made of. */
export type Action =
  /** To the group on each of the interfaces, from its own port. */
  | {
      readonly do: 'send';
      readonly group: Group;
      readonly ifindexes: readonly number[];
      readonly payload: Uint8Array;
    }
  /** To the group, from the session's port: answers come there. */
  | {
      readonly do: 'search';
      readonly session: Session;
      readonly ifindexes: readonly number[];
      readonly payload: Uint8Array;
    }
  /** To the searcher. */
  | { readonly do: 'answer'; readonly session: Session; readonly payload: Uint8Array }
  /** Its port is not needed any more. */
  | { readonly do: 'end'; readonly session: Session }
  /** For the operator, at human rates. */
  | {
      readonly do: 'tell';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

/** What became of a packet at one exit. */
export interface ExitOutcome {
  readonly ifname: string;
  /** `held`: behind known answers of another host, for half a second at most. */
  readonly outcome: 'sent' | 'changed' | 'held' | DropReason;
}

/** What became of a packet. */
export interface Step {
  /** null: it went out somewhere. */
  readonly dropped: DropReason | null;
  readonly exits: readonly ExitOutcome[];
  readonly actions: readonly Action[];
}
