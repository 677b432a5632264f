/** What is said of new links to the kernel, and in which order. */
import { LINK_GROUP, ROUTE_PROTOCOL } from '@pp/datapath';
import type { Link, Op } from '@pp/datapath';
import { addAddress, addLink, addRoute, setLink } from '@pp/netlink';
import type { NetlinkRequest } from '@pp/netlink';
import { creations, restOf } from './build-job';
import type { Piece } from './build-job';
import { linkConfsIn } from './link-conf';
import type { NumberedLink } from './new-links';
import { BRIDGE, TAP, VETH } from './testing';

const [IFINDEX, PEER, MASTER, NETNS_FD] = [7, 8, 9, 30];

const conf = (key: string, value: string): Op => ({
  do: 'sysctl.set',
  sysctl: { key: `net.ipv4.conf.${VETH.ifname}.${key}`, value },
  was: '1',
  onlyIf: null,
});
const CONFS = linkConfsIn(
  [conf('accept_redirects', '0'), conf('send_redirects', '0')].map((op, at) => ({ at, op })),
  new Set([VETH.ifname]),
);

interface Row {
  readonly name: string;
  readonly in: Link;
  /** Its making, what is said in the host's namespace after that, and in the guest's. */
  readonly want: readonly (readonly NetlinkRequest[])[];
}

const UP = setLink(IFINDEX, { up: true });

const rows: readonly Row[] = [
  {
    name: 'a veth',
    in: VETH,
    want: [
      [
        addLink({
          ifname: VETH.ifname,
          ifindex: IFINDEX,
          mac: VETH.mac,
          multicast: false,
          group: LINK_GROUP,
          queues: 1,
          kind: {
            name: 'veth',
            peer: {
              ifname: VETH.peer.ifname,
              ifindex: PEER,
              mac: VETH.peer.mac,
              multicast: false,
              netnsFd: NETNS_FD,
              queues: 1,
            },
          },
        }),
      ],
      [
        setLink(IFINDEX, {
          alias: VETH.alias,
          master: 0,
          inetConf: new Map([
            [4, 0],
            [6, 0],
          ]),
        }),
        UP,
      ],
      [
        setLink(PEER, { up: true }),
        addAddress(PEER, VETH.peer.address),
        addRoute({
          kind: 'unicast',
          dst: '0.0.0.0/0',
          hop: { via: '100.115.92.129', ifindex: PEER, onlink: false },
          src: null,
          table: 254,
          metric: 0,
          protocol: ROUTE_PROTOCOL,
        }),
      ],
    ],
  },
  {
    name: 'a bridge',
    in: BRIDGE,
    want: [
      [
        addLink({
          ifname: BRIDGE.ifname,
          ifindex: IFINDEX,
          mac: BRIDGE.mac,
          multicast: true,
          group: LINK_GROUP,
          kind: { name: 'bridge' },
        }),
      ],
      [
        setLink(IFINDEX, {
          alias: BRIDGE.alias,
          master: 0,
          mac: BRIDGE.mac,
          mtu: 1400,
          multicast: true,
          group: LINK_GROUP,
        }),
        UP,
      ],
      [],
    ],
  },
  {
    name: 'a TAP in a bridge',
    in: { ...TAP, multicast: false, master: 'br0' },
    want: [
      [],
      [
        setLink(IFINDEX, {
          alias: TAP.alias,
          master: MASTER,
          mac: TAP.mac,
          mtu: 1450,
          multicast: false,
          group: LINK_GROUP,
        }),
        UP,
      ],
      [],
    ],
  },
];

const told = (requests: readonly NetlinkRequest[]): readonly string[] =>
  requests.map(({ type, flags, body }) => `${type} ${flags} ${Buffer.from(body).toString('hex')}`);

const requestsOf = ({ part }: Piece): readonly NetlinkRequest[] => ('requests' in part ? part.requests : []);

test.each(rows)('$name comes up by a message of its own, after all else of it', ({ in: link, want }) => {
  const numbered: NumberedLink = {
    at: 0,
    op: { do: 'link.add', link },
    held: { netnsFd: link.kind === 'veth' ? NETNS_FD : null, tap: null, close: () => undefined },
    ifindex: IFINDEX,
    peerIfindex: PEER,
  };
  const made = creations([numbered]);
  const { pieces } = restOf({ links: [numbered], confs: CONFS, sysctls: [], rest: [] }, () => MASTER);
  const [, host, peer] = pieces; // the first one may fail
  const got = [made, host, peer].map((piece) => (piece === undefined ? [] : told(requestsOf(piece))));
  expect(got).toEqual(want.map(told));
});
