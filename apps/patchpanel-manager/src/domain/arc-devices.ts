import {
  arcBridgeName,
  arcVethName,
  giveBackArcConfig,
  takeArcConfig,
  type ArcConfig,
  type ArcUplinkKind,
} from '@pp/datapath';
import type { Arc, ArcDevice } from './guest';
import type { Uplink } from './uplink';

/**
 * ARC with one device for each uplink that it can have: those of uplinks that are gone go first, then new ones come in the order of the
 * uplinks (spec 3.7, 4.3), as far as ARC has addresses left for their kind. The same ARC where nothing changes. `newMac`: for the
 * container's end of a veth.
 */
export function followUplinks(arc: Arc, uplinks: readonly Uplink[], newMac: () => string): Arc {
  const present = new Set(uplinks.map(({ ifname }) => ifname));
  const leaving = arc.devices.filter(({ uplink }) => !present.has(uplink));
  const served = new Set(arc.devices.map(({ uplink }) => uplink));
  const arriving = uplinks.filter(({ ifname, kind }) => !served.has(ifname) && isArcKind(kind));
  const left = leaving.length === 0 ? arc : withoutDevices(arc, leaving);
  return arriving.reduce((grown, uplink) => withDevice(grown, uplink, newMac) ?? grown, left);
}

/** Uplinks that ARC could have a device for, and has none: no addresses are left for their kind, no TAP, or the bridge's name is taken. */
export function uplinksWithoutDevice(arc: Arc, uplinks: readonly Uplink[]): readonly Uplink[] {
  const served = new Set(arc.devices.map(({ uplink }) => uplink));
  return uplinks.filter(({ ifname, kind }) => isArcKind(kind) && !served.has(ifname));
}

const isArcKind = (kind: Uplink['kind']): kind is ArcUplinkKind => kind !== 'vpn';

function withoutDevices(arc: Arc, leaving: readonly ArcDevice[]): Arc {
  return {
    ...arc,
    devices: arc.devices.filter((device) => !leaving.includes(device)),
    free: leaving.reduce((free, { config }) => giveBackArcConfig(free, config), arc.free),
  };
}

/** The uplink whose device has the bridge that this one's would have: long names are cut to the same. */
export const namesake = ({ devices }: Arc, ifname: string): string | undefined =>
  devices.find(({ uplink }) => uplink !== ifname && arcBridgeName(uplink) === arcBridgeName(ifname))?.uplink;

/** null: no addresses are left for this kind, no TAP, or another device has its bridge. */
function withDevice(arc: Arc, { ifname: uplink, kind }: Uplink, newMac: () => string): Arc | null {
  if (namesake(arc, uplink) !== undefined) return null;
  const taken = isArcKind(kind) ? takeArcConfig(arc.free, kind) : null;
  if (taken === null) return null;
  const end = linkOf(arc, uplink, taken.config, newMac);
  if (end === null) return null;
  return { ...arc, free: taken.left, devices: [...arc.devices, { uplink, config: taken.config, ...end }] };
}

function linkOf(
  arc: Arc,
  uplink: string,
  config: ArcConfig,
  newMac: () => string,
): Pick<ArcDevice, 'link' | 'mac'> | null {
  if (arc.container !== null) return { link: arcVethName(uplink), mac: newMac() };
  const tap = arc.taps.find(({ number }) => number === config.stableMac);
  return tap === undefined ? null : { link: tap.tap, mac: tap.mac };
}
