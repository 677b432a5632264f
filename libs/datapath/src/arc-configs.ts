import { hasIndex } from './index-set';
import { ARC_MANAGEMENT_SUBNET, hostAt, nthSubnet, type Pools } from './pools';

/** Kinds of uplinks that get a device in ARC. */
export type ArcUplinkKind = 'ethernet' | 'wifi' | 'cellular';
type Queue = ArcUplinkKind | 'extra';

/** Addresses of one ARC device. */
export interface ArcConfig {
  readonly subnet: string;
  /** Number of the TAP's MAC address and of the preallocated TAP in ARCVM; null: beyond the reference's six, a container's only. */
  readonly stableMac: number | null;
  readonly queue: Queue;
}

/** The configs that no device holds, by the kind of uplink they are for; immutable. */
export type ArcConfigs = Readonly<Record<Queue, readonly ArcConfig[]>>;

/** The management device, arc0. */
export const ARC_MANAGEMENT_CONFIG = { subnet: ARC_MANAGEMENT_SUBNET, stableMac: 1 } as const;

/** In the order in which ARCVM's devices are made: subnet 1 has MAC number 2, and so on. */
const REFERENCE_ORDER = ['ethernet', 'ethernet', 'wifi', 'wifi', 'cellular'] as const;

/** Each device's address has a chain of its own in the packet filter. */
const DEVICES_MAX = 32;

export function arcConfigs({ byKind: { arc } }: Pools): ArcConfigs {
  const all = Array.from({ length: Math.min(arc.open, DEVICES_MAX) }, (_, i): ArcConfig => {
    const queue = REFERENCE_ORDER[i] ?? 'extra';
    return { subnet: nthSubnet(arc, i + 1) ?? '', stableMac: queue === 'extra' ? null : i + 2, queue };
  });
  const of = (queue: Queue): readonly ArcConfig[] =>
    all.filter((config, i) => config.queue === queue && !hasIndex(arc.reserved, i + 1));
  return { ethernet: of('ethernet'), wifi: of('wifi'), cellular: of('cellular'), extra: of('extra') };
}

export interface ArcTaken {
  readonly config: ArcConfig;
  readonly left: ArcConfigs;
}

/** The first config for this kind of uplink, else an extra one; null: the uplink gets no ARC device. */
export function takeArcConfig(configs: ArcConfigs, kind: ArcUplinkKind): ArcTaken | null {
  const queue: Queue = configs[kind].length > 0 ? kind : 'extra';
  const [config, ...rest] = configs[queue];
  return config === undefined ? null : { config, left: { ...configs, [queue]: rest } };
}

/** To the front: the config given back last is taken first. */
export const giveBackArcConfig = (configs: ArcConfigs, config: ArcConfig): ArcConfigs => ({
  ...configs,
  [config.queue]: [config, ...configs[config.queue]],
});

/** The guest's address of every device that ARC can have. */
export const arcAddresses = (pools: Pools): readonly string[] =>
  [...Object.values(arcConfigs(pools)).flat(), ...pools.held.filter(({ kind }) => kind === 'arc')].map(
    ({ subnet }) => hostAt(subnet, 1),
  );
