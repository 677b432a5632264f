import { KernelError } from '@pp/base';
import { errnoName } from './codec/errno';
import type { NetlinkMessage, Verdict } from './codec/message';
import type { NetlinkRequest } from './request';

/** Where an exchange puts its datagrams. */
export interface Line {
  /** The first of so many sequence numbers that follow each other. */
  nextSeqs(count: number): number;
  send(datagram: Uint8Array): void;
}

/** A question and its answers; a line carries one at a time. It settles its promise itself. */
export interface Exchange {
  start(line: Line): void;
  /** Returns true when that was the last answer. Messages with a foreign sequence number are ignored. */
  take(message: NetlinkMessage): boolean;
  /** The kernel dropped datagrams, maybe answers to this. Returns true when it gives up. */
  lost(): boolean;
  /** The line is broken. */
  fail(code: KernelError['code'], why: string): void;
}

export function refusal(
  { errno, text, offset }: Verdict,
  request: Pick<NetlinkRequest, 'label' | 'blame'>,
): KernelError {
  const blamed = offset === null ? null : request.blame?.(offset);
  return new KernelError(errnoName(errno), blamed ?? request.label(), text);
}

/** An exchange tries at most this often (NLM_F_DUMP_INTR, ENOBUFS). */
export const MAX_TRIES = 8;
