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
const FAMILIES: ReadonlyMap<string, 'ipv4' | 'ipv6'> = new Map([
  ['ipv4', 'ipv4'],
  ['dhcp', 'ipv4'],
  ['bootp', 'ipv4'],
  ['zeroconf', 'ipv4'],
  ['ipv6', 'ipv6'],
]);

/** Uplinks are its devices of known kinds, and the VPN that its services lead to; ranked as its services are. */
export function managedNetwork(state: ShillState): ManagedNetwork {
  const { logical, physical } = defaultsOf(state.services);
  const vpn = logical?.kind === 'vpn' ? [logical] : [];
  const devices = state.devices.flatMap((device) =>
    uplinkOf(device, KINDS.get(text(device.properties, 'Type'))),
  );
  const best = [logical, physical].flatMap((uplink) => uplink?.ifname ?? []);
  return {
    uplinks: [...vpn, ...devices.filter(({ ifname }) => vpn[0]?.ifname !== ifname)],
    best: [...new Set(best)],
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
  return ifname === '' || kind === undefined ? [] : [{ ifname, kind, gateways: gatewaysIn(ipConfigs) }];
}

/** The first of a family counts; one that lacks anything does not. */
function gatewaysIn(ipConfigs: readonly Properties[]): ManagedUplink['gateways'] {
  const gateways = new Map<'ipv4' | 'ipv6', string>();
  for (const config of ipConfigs) {
    const family = FAMILIES.get(text(config, 'Method'));
    if (family === undefined || gateways.has(family) || !isComplete(config)) continue;
    const gateway = text(config, 'Gateway');
    if ((family === 'ipv4' ? parseIpv4(gateway) : parseIpv6(gateway)) !== null) gateways.set(family, gateway);
  }
  return [...gateways].map(([family, address]) => ({ family, address }));
}

const isComplete = (config: Properties): boolean =>
  text(config, 'Address') !== '' &&
  text(config, 'Gateway') !== '' &&
  Number(config.get('Prefixlen') ?? 0) > 0 &&
  config.has('NameServers');

function text(properties: Properties, name: string): string {
  const value = properties.get(name);
  return typeof value === 'string' ? value : '';
}
