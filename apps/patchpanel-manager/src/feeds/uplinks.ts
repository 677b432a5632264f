import { ARC_BRIDGE, ARC_MANAGEMENT_SUBNET, hasRoutingTag, hostAt, isIfname } from '@pp/datapath';
import type { LinkView, ManagedNetwork, ManagedUplink, NetworkView, RouteView } from '@pp/ports';
import type { DefaultRoute, LinkRoute, Uplink, UplinkKind } from '../domain/uplink';

/** `--uplink IF[=KIND]`: kind null means told from the link. */
export interface UplinkChoice {
  readonly ifname: string;
  readonly kind: UplinkKind | null;
}

export interface Uplinks {
  /** Best first: the lowest metric of a default route, IPv4 before IPv6, then those without one, then by name. */
  readonly present: readonly Uplink[];
  readonly awaited: readonly string[];
  /** Names of the form vmtapN of links that are not ours. */
  readonly foreignTaps: readonly string[];
  /** The lowest priority of other people's rules that every packet meets; null: none. */
  readonly foreignRule: number | null;
}

const ARPHRD_PPP = 512;
const ARPHRD_RAWIP = 519;
const TUNNELS = new Set(['wireguard', 'tun', 'ppp', 'vti', 'xfrm']);

/** Without `choices`: interfaces that hold a default route, and physical ones that belong to no bridge or bond. */
export function uplinksOf(view: NetworkView, chosen: readonly UplinkChoice[]): Uplinks {
  if (view.managed !== undefined) return managedUplinks(view, view.managed);
  return chosenUplinks(view, chosen);
}

/** What the connection manager calls so, in its order; what the kernel's main table lacks of default routes is added. */
function managedUplinks(view: NetworkView, { uplinks, best }: ManagedNetwork): Uplinks {
  const named = uplinks.map(({ ifname, kind }) => ({ ifname, kind }));
  const { present, ...rest } = named.length === 0 ? noUplinks(view) : chosenUplinks(view, named);
  const byName = new Map(uplinks.map((uplink) => [uplink.ifname, uplink]));
  const rankOf = (ifname: string): number => (best.includes(ifname) ? best.indexOf(ifname) : best.length);
  return {
    ...rest,
    present: present
      .map((uplink) => managedUplink(uplink, byName.get(uplink.ifname), best.includes(uplink.ifname)))
      .toSorted((a, b) => rankOf(a.ifname) - rankOf(b.ifname)),
  };
}

function managedUplink(uplink: Uplink, managed: ManagedUplink | undefined, isBest: boolean): Uplink {
  const { gateways = [], nameservers = [] } = managed ?? {};
  const led = withGateways(uplink, gatewaysOf(uplink, gateways));
  return { ...led, ...(isBest ? {} : { passedOver: true }), nameservers };
}

/** What it is told to lead into Android's own VPN goes there. */
const gatewaysOf = ({ ifname }: Uplink, gateways: ManagedUplink['gateways']): ManagedUplink['gateways'] =>
  ifname === ARC_BRIDGE ? [{ family: 'ipv4', address: ANDROID }] : gateways;

/** Without choices uplinks would be looked for. */
const noUplinks = (view: NetworkView): Uplinks => ({ ...chosenUplinks(view, []), present: [] });

function withGateways(uplink: Uplink, gateways: ManagedUplink['gateways']): Uplink {
  const lacking = gateways.filter(({ family }) => !uplink.defaults.some((route) => route.family === family));
  const more = lacking.map(({ family, address }) => ({ family, gateway: address, metric: 0 }));
  return more.length === 0 ? uplink : { ...uplink, defaults: [...uplink.defaults, ...more] };
}

function chosenUplinks(view: NetworkView, choices: readonly UplinkChoice[]): Uplinks {
  const present = view.links
    .flatMap((link) => {
      const kind = kindOfUplink(link, view, choices);
      return kind === null ? [] : [uplinkOf(link, kind, view)];
    })
    .sort(byRank);
  const names = new Set(view.links.map((link) => link.ifname));
  return {
    present,
    awaited: choices.map((choice) => choice.ifname).filter((ifname) => !names.has(ifname)),
    foreignTaps: [...names].filter((ifname) => /^vmtap\d+$/.test(ifname)),
    foreignRule: view.firstRule ?? null,
  };
}

function kindOfUplink(
  link: LinkView,
  view: NetworkView,
  choices: readonly UplinkChoice[],
): UplinkKind | null {
  if (!isIfname(link.ifname) || !hasRoutingTag(link.ifindex)) return null; // nft text could not say it, or a mark; `clashesOf` tells
  if (choices.length > 0) {
    const choice = choices.find(({ ifname }) => ifname === link.ifname);
    return choice === undefined ? null : (choice.kind ?? kindOfLink(link));
  }
  if (link.loopback || link.enslaved) return null;
  const holdsDefault = defaultsOf(view.routes.filter(({ ifindex }) => ifindex === link.ifindex)).length > 0;
  return holdsDefault || link.physical ? kindOfLink(link) : null;
}

/** By the link's kind where the kernel tells one, else by the names that udev gives (systemd.net-naming-scheme(7)). */
function kindOfLink(link: LinkView): UplinkKind {
  if (link.ifname === ARC_BRIDGE) return 'vpn';
  if (link.type === ARPHRD_PPP || (link.kind !== null && TUNNELS.has(link.kind))) return 'vpn';
  if (link.type === ARPHRD_RAWIP || /^(ww|rmnet|usb\d)/.test(link.ifname)) return 'cellular';
  return /^(wl|mlan)/.test(link.ifname) ? 'wifi' : 'ethernet';
}

function uplinkOf(link: LinkView, kind: UplinkKind, view: NetworkView): Uplink {
  const routes = view.routes.filter((route) => route.ifindex === link.ifindex);
  return {
    ifname: link.ifname,
    ifindex: link.ifindex,
    kind,
    running: link.up && link.running,
    multicast: link.multicast,
    mtu: link.mtu,
    addresses: view.addresses.filter(({ ifindex }) => ifindex === link.ifindex).map(({ cidr }) => cidr),
    defaults: link.ifname === ARC_BRIDGE ? intoAndroid(defaultsOf(routes)) : defaultsOf(routes),
    routes: routes.filter((route) => !isDefault(route)).map(linkRoute),
  };
}

/** Android's own VPN takes IPv4, and Android is the next hop whatever the route says. */
const intoAndroid = (defaults: readonly DefaultRoute[]): readonly DefaultRoute[] =>
  defaults.filter(({ family }) => family === 'ipv4').map((route) => ({ ...route, gateway: ANDROID }));

const ANDROID = hostAt(ARC_MANAGEMENT_SUBNET, 1);

const isDefault = (route: RouteView): boolean => route.dst === '0.0.0.0/0' || route.dst === '::/0';

/** Better than every default route of main. */
const ABOVE_MAIN = -1;

/** Prefixes that together are everything: VPNs lay them over the default route instead of replacing it (OpenVPN's redirect-gateway). */
const COVERS: readonly (readonly string[])[] = [
  ['0.0.0.0/1', '128.0.0.0/1'],
  ['::/1', '8000::/1'],
  ['2000::/4', '3000::/4'],
  ['2000::/3'],
];

/** Default routes among those of one link, and what is as good as one. */
function defaultsOf(routes: readonly RouteView[]): readonly DefaultRoute[] {
  const covering = COVERS.flatMap((cover) => {
    const parts = cover.map((dst) => routes.find((route) => route.dst === dst));
    const [first] = parts;
    return first === undefined || parts.includes(undefined) ? [] : [{ ...first, beatsMain: true as const }];
  });
  return [...covering, ...routes.filter(isDefault)].map(defaultRoute);
}

const defaultRoute = ({ family, via, metric, beatsMain }: RouteView): DefaultRoute => ({
  family,
  gateway: via,
  metric: beatsMain === true ? ABOVE_MAIN : metric,
});

const linkRoute = ({ family, dst, via, src, metric }: RouteView): LinkRoute => ({
  family,
  dst,
  gateway: via,
  src,
  metric,
});

function byRank(a: Uplink, b: Uplink): number {
  const [rankA, rankB] = [rank(a), rank(b)];
  if (rankA !== rankB) return rankA < rankB ? -1 : 1;
  return a.ifname < b.ifname ? -1 : 1;
}

/** IPv6 metrics come after all IPv4 ones: a host with both lives by its IPv4 default. */
function rank(uplink: Uplink): number {
  const best = uplink.defaults.map(({ family, metric }) => metric + (family === 'ipv4' ? 0 : 2 ** 32));
  return Math.min(...best, Number.POSITIVE_INFINITY);
}
