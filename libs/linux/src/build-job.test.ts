/** What is said of new links to the kernel, and in which order. */
import { LINK_GROUP, ROUTE_PROTOCOL } from '@pp/datapath';
import type { Link } from '@pp/datapath';
import { addAddress, addLink, addRoute, setLink } from '@pp/netlink';
import type { NetlinkRequest } from '@pp/netlink';
import { creations, restOf } from './build-job';
import type { Piece } from './build-job';
import type { SysctlStep } from './link-conf';
import type { NumberedLink } from './new-links';
import { BRIDGE, TAP, VETH } from './testing';

const [IFINDEX, PEER, MASTER, NETNS_FD] = [7, 8, 9, 30];

const conf = (key: string, value: string): SysctlStep['op'] => ({
  do: 'sysctl.set',
  sysctl: { key: `net.ipv4.conf.${VETH.ifname}.${key}`, value },
  was: '1',
  onlyIf: null,
});
const SETTINGS = [conf('accept_redirects', '0'), conf('send_redirects', '0')].map((op, at) => ({ at, op }));

interface Row {
  readonly name: string;
  readonly in: Link;
  readonly want: {
    readonly made: readonly string[];
    readonly host: readonly string[];
    /** Far end, and what is done with TAPs. */
    readonly last: readonly string[];
  };
}

const said = ({ type, flags, body }: NetlinkRequest): string =>
  `${type} ${flags} ${Buffer.from(body).toString('hex')}`;
const UP = said(setLink(IFINDEX, { up: true }));

const PEER_LINK = {
  ifname: VETH.peer.ifname,
  ifindex: PEER,
  mac: VETH.peer.mac,
  multicast: false,
  netnsFd: NETNS_FD,
  queues: 1,
};
const DEFAULT = addRoute({
  kind: 'unicast',
  dst: '0.0.0.0/0',
  hop: { via: '100.115.92.129', ifindex: PEER, onlink: false },
  src: null,
  table: 254,
  metric: 0,
  protocol: ROUTE_PROTOCOL,
});
const NEW = { ifindex: IFINDEX, group: LINK_GROUP };

const rows: readonly Row[] = [
  {
    name: 'a veth',
    in: VETH,
    want: {
      made: [
        said(
          addLink({
            ...NEW,
            ifname: VETH.ifname,
            mac: VETH.mac,
            multicast: false,
            queues: 1,
            kind: { name: 'veth', peer: PEER_LINK },
          }),
        ),
      ],
      host: [
        said(
          setLink(IFINDEX, {
            alias: VETH.alias,
            master: 0,
            inetConf: new Map([
              [4, 0],
              [6, 0],
            ]),
          }),
        ),
        UP,
      ],
      last: [said(setLink(PEER, { up: true })), said(addAddress(PEER, VETH.peer.address)), said(DEFAULT)],
    },
  },
  {
    name: 'a bridge',
    in: BRIDGE,
    want: {
      made: [
        said(
          addLink({
            ...NEW,
            ifname: BRIDGE.ifname,
            mac: BRIDGE.mac,
            multicast: true,
            kind: { name: 'bridge', learns: false },
          }),
        ),
      ],
      host: [
        said(
          setLink(IFINDEX, {
            alias: BRIDGE.alias,
            master: 0,
            mac: BRIDGE.mac,
            mtu: 1400,
            multicast: true,
            group: LINK_GROUP,
          }),
        ),
        UP,
      ],
      last: [],
    },
  },
  {
    name: 'a TAP in a bridge',
    in: { ...TAP, multicast: false, master: 'br0' },
    want: {
      made: [`tap ${TAP.ifname} #${IFINDEX} of ${TAP.owner}`],
      host: [
        said(
          setLink(IFINDEX, {
            alias: TAP.alias,
            master: MASTER,
            mac: TAP.mac,
            mtu: 1450,
            multicast: false,
            group: LINK_GROUP,
          }),
        ),
        UP,
      ],
      last: ['keep'],
    },
  },
];

function told({ part }: Piece): readonly string[] {
  if ('requests' in part) return part.requests.map(said);
  if ('tap' in part) return [`tap ${part.tap.name} #${part.tap.ifindex} of ${part.tap.owner}`];
  return 'keepTaps' in part ? ['keep'] : [`file ${part.file}`];
}

test.each(rows)('$name comes up by a message of its own, after all else of it', ({ in: link, want }) => {
  const numbered: NumberedLink = {
    at: 0,
    op: { do: 'link.add', link },
    held: { netnsFd: link.kind === 'veth' ? NETNS_FD : null, close: () => undefined },
    ifindex: IFINDEX,
    peerIfindex: PEER,
  };
  const { pieces } = restOf(
    { links: [numbered], settings: link.kind === 'veth' ? SETTINGS : [], rest: [] },
    () => MASTER,
  );
  const [made, , host, ...last] = [...creations([numbered]), ...pieces]; // the second one may fail
  const got = [made, host].map((piece) => (piece === undefined ? [] : told(piece)));
  expect({ made: got[0], host: got[1], last: last.flatMap(told) }).toEqual(want);
});
