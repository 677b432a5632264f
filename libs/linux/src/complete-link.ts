import { describe, LINK_GROUP, ROUTE_PROTOCOL } from '@pp/datapath';
import type { VethPeer } from '@pp/datapath';
import { addAddress, addRoute, setLink, withoutQueue } from '@pp/netlink';
import type { NetlinkRequest } from '@pp/netlink';
import { attributesOf } from './configure';
import type { Resolve } from './configure';
import { inetConfOf, type LinkConf } from './link-conf';
import { relabelled, type NumberedLink } from './new-links';

const MAIN = 254; // RT_TABLE_MAIN

/**
 * All that is said of a link before it comes up. A change of one that is up and has no carrier yet has the kernel look through every route of
 * IPv6 that the host has (rt6_sync_down_dev).
 */
export function preparation(
  { op, ifindex }: NumberedLink,
  confs: readonly LinkConf[],
  resolve: Resolve,
): NetlinkRequest {
  const { link } = op;
  const { mac, mtu, multicast, master } = attributesOf(link, resolve);
  // A veth has these from its creation, a TAP has not. A bridge keeps an MTU only if it is set later: else it follows its ports.
  const late = link.kind === 'veth' ? {} : { mac, mtu, multicast, group: LINK_GROUP };
  // The kernel ignores an alias at creation.
  return setLink(ifindex, { alias: link.alias, master, ...late, inetConf: inetConfOf(link.ifname, confs) });
}

/** A message of its own: whatever else were in it would be such a change. */
export const rise = ({ ifindex }: NumberedLink): NetlinkRequest => setLink(ifindex, { up: true });

/**
 * Before it comes up. The driver of a TAP has a queue of its own and never asks for another one, which would cost each packet a twentieth of
 * its way to a guest, and each TAP 24 kB. A kernel that refuses keeps its own: that is no fault.
 */
export const unqueued = ({ op, ifindex }: NumberedLink): readonly NetlinkRequest[] =>
  op.link.kind === 'tap' ? [withoutQueue(ifindex)] : [];

/** What sets up the far end of a veth inside its namespace. */
export function peerCompletion({ op, peerIfindex }: NumberedLink): readonly NetlinkRequest[] {
  if (op.link.kind !== 'veth') return [];
  const { peer } = op.link;
  return peerRequests(peerIfindex, peer).map((request) =>
    relabelled(request, () => `${describe(op)}: ${request.label()} in netns ${peer.netns}`),
  );
}

const peerRequests = (ifindex: number, { address, gateway }: VethPeer): readonly NetlinkRequest[] => [
  setLink(ifindex, { up: true }),
  addAddress(ifindex, address),
  ...(gateway === null ? [] : [defaultRoute(ifindex, gateway)]),
];

const defaultRoute = (ifindex: number, gateway: string): NetlinkRequest =>
  addRoute({
    kind: 'unicast',
    dst: gateway.includes(':') ? '::/0' : '0.0.0.0/0',
    hop: { via: gateway, ifindex, onlink: false },
    src: null,
    table: MAIN,
    metric: 0,
    protocol: ROUTE_PROTOCOL,
  });
