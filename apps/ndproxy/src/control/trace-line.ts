import { addressKey } from '../core/keys';
import { describe } from '../core/describe';
import { DROP_REASONS } from '../core/drop-reason';
import type { NdPacket } from '../core/packet';
import type { Traced } from '../group-runner';

/** A traced frame that concerns the address, as a line for people; null: it does not. */
export function traceLine({ group, ifname, outgoing, step }: Traced, address: Uint8Array): string | null {
  const { packet, verdict, actions } = step;
  if (packet === null || !concerns(packet, addressKey(address))) return null;
  const copies = actions.filter((action) => action.do === 'send').length;
  const outcome =
    verdict.is === 'dropped'
      ? `dropped ${verdict.reason} (${DROP_REASONS[verdict.reason]})`
      : `${verdict.is}${copies > 0 ? `, ${copies} sent` : ''}`;
  return `${group} ${outgoing ? 'from this host on' : 'in on'} ${ifname}: ${describe(packet)}: ${outcome}`;
}

function concerns({ source, destination, message }: NdPacket, key: string): boolean {
  const targets = 'target' in message ? [message.target] : [];
  return [source, destination, ...targets].some((each) => addressKey(each) === key);
}
