import type { Element, Part, Tap } from '../desired';
import type { TrafficSource } from '../marks';
import { ADB_PORT, SETS } from '../nft/sets';
import { guestElements } from './guest-elements';
import { hostAt, hostsOf } from '../pools';
import { ALIAS_PREFIX, MAIN_TABLE } from '../tags';
import { guestLinkSysctls, withLength } from './namespace';

/** A VM with one TAP of its own: Termina or a plugin VM (spec/patchpanel.md 4.5), with all choices made. */
export interface VmPart {
  /** "termina/7", for the tag. */
  readonly key: string;
  readonly tap: string;
  /** Of the host's end; the VMM chooses the guest's. */
  readonly mac: string;
  /** uid that may open the TAP. */
  readonly owner: number;
  readonly subnet: string;
  /** Routed through the guest, for its containers. */
  readonly containers: string | null;
  readonly source: TrafficSource;
  readonly forceForwarding: boolean;
  /** null: as the kernel made it, or as it is. */
  readonly mtu?: number | null;
}

export function vmPart(spec: VmPart): Part {
  const { tap, subnet, containers, source } = spec;
  const guest = hostAt(subnet, 1);
  return {
    netns: [],
    links: [vmTap(spec)],
    addresses: [{ ifname: tap, cidr: withLength(subnet, 0) }],
    routes: containers === null ? [] : [containerRoute(containers, guest, tap)],
    rules: [],
    elements: [
      ...guestElements({
        ifname: tap,
        sources: [guest, ...(containers === null ? [] : hostsOf(containers))],
        gateway: hostAt(subnet, 0),
        egress: { kind: 'user' },
        source,
        mac: { of: 'host', address: spec.mac },
        managed: true,
      }),
      adbOf(tap),
    ],
    linkSysctls: guestLinkSysctls(tap, spec.forceForwarding),
  };
}

/** Where adb-proxy listens on the host's end of the link, while Android runs and ADB is allowed. */
const adbOf = (tap: string): Element => ({ set: SETS.guestServices.name, key: [tap, 'tcp', ADB_PORT] });

const vmTap = ({ key, tap, mac, owner, mtu = null }: VmPart): Tap => ({
  kind: 'tap',
  ifname: tap,
  alias: `${ALIAS_PREFIX}${key}`,
  mac,
  owner,
  mtu,
  multicast: true,
  master: null,
});

const containerRoute = (dst: string, via: string, dev: string): Part['routes'][number] => ({
  kind: 'unicast',
  dst,
  via,
  dev,
  src: null,
  table: MAIN_TABLE,
  metric: 0,
  onlink: false,
});
