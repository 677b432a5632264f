import { poolsWith } from '@pp/datapath';
import { clashesOf } from '@pp/ports';
import type { Facts } from './facts';
import { warning, type Finding } from './finding';

/** What of the host's network is in guests' way, in the manager's own words. */
export function clashes({ network }: Facts): readonly string[] {
  const pools = poolsWith([]);
  return network.ok && pools.ok ? clashesOf(network.value.view, pools.value) : [];
}

/** "what is wrong; what to do" */
export function sentenceFinding(name: string, sentence: string, otherwise: string): Finding {
  const at = sentence.indexOf('; ');
  return at < 0
    ? warning(name, sentence, otherwise)
    : warning(name, sentence.slice(0, at), sentence.slice(at + 2));
}
