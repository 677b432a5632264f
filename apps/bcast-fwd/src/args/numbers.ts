import { accept, refuse, type Checked } from '@pp/base';
import { checkedIfname } from '@pp/daemon';
import { ipv4ToNumber, parseIpv4 } from '@pp/wire';
import { MAX_MARK_ID, type Mark } from '../core/settings';

const DEFAULT_RATE = 500;
const MAX_RATE = 1_000_000;

export function checkedRate(text: string | undefined): Checked<number> {
  if (text === undefined) return accept(DEFAULT_RATE);
  if (/^\d{1,7}$/.test(text) && Number(text) <= MAX_RATE) return accept(Number(text));
  return refuse('InvalidArgument', `--rate '${text}' is no rate; write 0 (no limit) to ${MAX_RATE}`);
}

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

/** "wg0=10.9.0.2" each; several for one interface are all sent to. */
export function checkedTargets(texts: readonly string[]): Checked<ReadonlyMap<string, readonly number[]>> {
  const targets = new Map<string, readonly number[]>(); // BOUNDED: by the command line
  for (const text of texts) {
    const [ifname = '', addressText = '', ...more] = text.split('=');
    const address = parseIpv4(addressText);
    if (address === null || more.length > 0 || !checkedIfname(ifname).ok)
      return refuse(
        'InvalidArgument',
        `--target '${text}' is not IF=ADDR; write for example --target wg0=10.9.0.2`,
      );
    targets.set(ifname, [...(targets.get(ifname) ?? []), ipv4ToNumber(address)]);
  }
  return accept(targets);
}
