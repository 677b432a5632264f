import { accept, refuse, type Checked } from '@pp/base';
import { extraPool, isIfname, type ExtraPool } from '@pp/datapath';
import { UPLINK_KINDS, type UplinkKind } from './domain/uplink';
import type { UplinkChoice } from './feeds/uplinks';

/** The flags as commander gives them. */
export interface RawConfig {
  readonly uplink: readonly string[];
  readonly pool: readonly string[];
  readonly onExit: string;
}

export interface Config {
  /** Empty: uplinks are found. */
  readonly uplinks: readonly UplinkChoice[];
  readonly pools: readonly ExtraPool[];
  readonly onExit: 'clean' | 'keep';
}

export function configOf(raw: RawConfig): Checked<Config> {
  const uplinks = allOf(raw.uplink.map(uplinkChoice));
  if (!uplinks.ok) return uplinks;
  const pools = allOf(raw.pool.map(extraPool));
  if (!pools.ok) return pools;
  if (raw.onExit !== 'clean' && raw.onExit !== 'keep') {
    return refuse('InvalidArgument', `--on-exit ${raw.onExit}: use clean or keep`);
  }
  return accept({ uplinks: uplinks.value, pools: pools.value, onExit: raw.onExit });
}

/** "eth0" or "eth0=wifi". */
function uplinkChoice(text: string): Checked<UplinkChoice> {
  const [ifname = '', kind, ...more] = text.split('=');
  if (!isIfname(ifname) || ifname === 'lo') return refuse('InvalidArgument', `--uplink ${text}: "${ifname}" is no name of an uplink`);
  if (kind === undefined) return accept({ ifname, kind: null });
  if (!isUplinkKind(kind) || more.length > 0) {
    return refuse('InvalidArgument', `--uplink ${text}: after the = comes one of ${UPLINK_KINDS.join(', ')}`);
  }
  return accept({ ifname, kind });
}

const isUplinkKind = (text: string): text is UplinkKind => (UPLINK_KINDS as readonly string[]).includes(text);

/** All values, or the first refusal. */
function allOf<T>(checked: readonly Checked<T>[]): Checked<readonly T[]> {
  const values: T[] = [];
  for (const one of checked) {
    if (!one.ok) return one;
    values.push(one.value);
  }
  return accept(values);
}
