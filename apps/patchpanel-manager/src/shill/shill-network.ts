import { parseIpv4, parseIpv6 } from '@pp/wire';
import type { ManagedNetwork, ManagedUplink } from '@pp/ports';

/** Properties of an object of shill; what is of an unexpected type counts as missing. */
export type Properties = ReadonlyMap<string, unknown>;

/** What was read of shill: its manager's lists resolved, in their order (spec/patchpanel.md 12). */
export interface ShillState {
  readonly devices: readonly ShillDevice[];
  /** Best first. */
  readonly services: readonly ShillService[];
}

export interface ShillDevice {
  readonly properties: Properties;
  readonly ipConfigs: readonly Properties[];
}

export interface ShillService {
  readonly properties: Properties;
  /** Of its Device; null: it names none. */
  readonly device: ShillDevice | null;
}

const KINDS: ReadonlyMap<string, ManagedUplink['kind']> = new Map([
  ['ethernet', 'ethernet'],
  ['etherneteap', 'ethernet'],
  ['wifi', 'wifi'],
  ['cellular', 'cellular'],
]);
const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['ipv4', 'ipv4'],
  ['dhcp', 'ipv4'],
  ['bootp', 'ipv4'],
  ['zeroconf', 'ipv4'],
  ['ipv6', 'ipv6'],
]);

/** Uplinks are its devices of known kinds, and those that its services lead to, as the VPN; ranked as its services are. */
export function managedNetwork(state: ShillState): ManagedNetwork {
  const { logical, physical } = defaultsOf(state.services);
  const defaults = [...new Set([logical, physical])].flatMap((uplink) => uplink ?? []);
  const devices = state.devices.flatMap((device) =>
    uplinkOf(device, KINDS.get(text(device.properties, 'Type'))),
  );
  const uplinks = [...defaults, ...devices];
  const first = new Map(uplinks.toReversed().map((uplink) => [uplink.ifname, uplink]));
  return {
    uplinks: uplinks.filter((uplink) => first.get(uplink.ifname) === uplink),
    best: defaults.map(({ ifname }) => ifname),
  };
}

interface Defaults {
  readonly logical: ManagedUplink | null;
  readonly physical: ManagedUplink | null;
}

const NONE: Defaults = { logical: null, physical: null };

/** The first that is no VPN ends the walk; one that is not connected, or lacks what it must have, leaves no default at all. */
function defaultsOf(services: readonly ShillService[]): Defaults {
  let logical: ManagedUplink | null = null;
  for (const { properties, device } of services) {
    const type = text(properties, 'Type');
    if (device === null || properties.get('IsConnected') !== true || type === '') return NONE;
    const [uplink = null] = uplinkOf(device, type === 'vpn' ? 'vpn' : (KINDS.get(type) ?? 'ethernet'));
    if (uplink === null) return NONE;
    if (type !== 'vpn') return { logical: logical ?? uplink, physical: uplink };
    logical ??= uplink;
  }
  return { logical, physical: null };
}

function uplinkOf(
  { properties, ipConfigs }: ShillDevice,
  kind: ManagedUplink['kind'] | undefined,
): readonly ManagedUplink[] {
  const ifname = text(properties, 'Interface');
  if (ifname === '' || kind === undefined) return [];
  const configs = configsIn(ipConfigs);
  const gateways = [...configs].map(([family, config]) => ({ family, address: text(config, 'Gateway') }));
  return [{ ifname, kind, gateways, nameservers: [...configs.values()].flatMap(nameserversOf) }];
}

type Family = ManagedUplink['gateways'][number]['family'];

/** The first of a family counts; one that lacks anything does not. */
function configsIn(ipConfigs: readonly Properties[]): ReadonlyMap<Family, Properties> {
  const configs = new Map<Family, Properties>();
  for (const config of ipConfigs) {
    const family = FAMILIES.get(text(config, 'Method'));
    if (family !== undefined && !configs.has(family) && isComplete(config, family))
      configs.set(family, config);
  }
  return configs;
}

/** BOUNDED: more than resolv.conf(5) takes are of no use to anybody. */
const MAX_NAMESERVERS = 8;

function nameserversOf(config: Properties): readonly string[] {
  const value = config.get('NameServers');
  const servers: readonly unknown[] = Array.isArray(value) ? value : [];
  const isServer = (server: unknown): server is string => typeof server === 'string' && server !== '';
  return servers.filter(isServer).slice(0, MAX_NAMESERVERS);
}

const isComplete = (config: Properties, family: Family): boolean =>
  text(config, 'Address') !== '' &&
  (family === 'ipv4' ? parseIpv4 : parseIpv6)(text(config, 'Gateway')) !== null &&
  Number(config.get('Prefixlen') ?? 0) > 0 &&
  config.has('NameServers');

function text(properties: Properties, name: string): string {
  const value = properties.get(name);
  return typeof value === 'string' ? value : '';
}
