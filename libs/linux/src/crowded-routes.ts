import { routeHeader, type Query, type Route } from '@pp/netlink';

/**
 * More routes of one table than this are a router's, which hears of others by the second. Of such a table only that is read which guests
 * cannot do without: copied for each uplink, and read anew at each change, a million would be a gigabyte and all of a CPU.
 */
export const MAX_ROUTES = 4096;

/** Default routes, and what VPNs lay over them in parts: "2000::/4". */
const MAX_DEFAULT_PREFIX = 4;
/** A link's own networks: RTPROT_KERNEL, RTPROT_RA, RTPROT_DHCP (linux/rtnetlink.h). */
const LINK_PROTOCOLS: ReadonlySet<number> = new Set([2, 9, 16]);

/** Whether such a route is wanted of a crowded table, too. */
export const isWantedInCrowd = ({ dst, protocol }: Pick<Route, 'dst' | 'protocol'>): boolean =>
  isWanted({ prefixLength: Number(dst.slice(dst.indexOf('/') + 1)), protocol });

const isWanted = ({ prefixLength, protocol }: ReturnType<typeof routeHeader>): boolean =>
  prefixLength <= MAX_DEFAULT_PREFIX || LINK_PROTOCOLS.has(protocol);

/** For a dump of routes. `onCrowd` is called where the table is crowded. */
export const crowdOf = (onCrowd: () => void): NonNullable<Query<Route>['crowd']> => ({
  above: MAX_ROUTES,
  isWanted: (message) => {
    onCrowd();
    return isWanted(routeHeader(message));
  },
});
