import { accept, refuse, type Checked } from '@pp/base';
import { MAX_MARK_ID, type Mark } from '../core/settings';

/** "dscp:5" or "ttl:5"; undefined: none. */
export function checkedMark(text: string | undefined): Checked<Mark | null> {
  if (text === undefined) return accept(null);
  const [, field, digits] = /^(dscp|ttl):(\d{1,2})$/.exec(text) ?? [];
  const id = Number(digits);
  if ((field === 'dscp' || field === 'ttl') && id >= 1 && id <= MAX_MARK_ID) return accept({ field, id });
  return refuse(
    'InvalidArgument',
    `--mark '${text}' is no mark; write dscp:ID or ttl:ID with an ID of 1 to ${MAX_MARK_ID}`,
  );
}
