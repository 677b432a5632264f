import type { DropReason } from './drop-reason';
import type { Move } from './location-table';
import type { Role } from './member';

/** What a group wants done, in order. */
export type Action =
  | { readonly do: 'send'; readonly ifindex: number; readonly frame: Uint8Array }
  /** Sends data of bridge mode; the frame begins with its virtio_net_hdr. */
  | { readonly do: 'carry'; readonly ifindex: number; readonly frame: Uint8Array }
  | Moved
  /** For the operator, at human rates. */
  | {
      readonly do: 'tell';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

/** A node was found on a segment of that role, or is there no more: its route and its multicast groups follow. */
export interface Moved {
  readonly do: 'move';
  readonly move: Move;
  readonly role: Role | undefined;
}

/** What became of a received frame. */
export type Verdict =
  | { readonly is: 'forwarded' }
  /** It waits for its destination to be found; counted as forwarded or dropped later. */
  | { readonly is: 'queued' }
  /** The host's own kernel, or this proxy in its place, answers it. */
  | { readonly is: 'local' }
  | { readonly is: 'dropped'; readonly reason: DropReason };

export const FORWARDED: Verdict = { is: 'forwarded' };
export const QUEUED: Verdict = { is: 'queued' };
export const LOCAL: Verdict = { is: 'local' };
export const dropped = (reason: DropReason): Verdict => ({ is: 'dropped', reason });
