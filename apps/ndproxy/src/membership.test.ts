import { membersOf } from './membership';
import { view } from './testing/rig';

const GROUP = { name: 'main', upstream: 'eth0', downstreams: ['tap*'] };
const ppp = view('eth0', { type: 512, mac: '' });

const rows = [
  {
    name: 'Ethernet',
    mode: 'route',
    links: [view('eth0'), view('tap0')],
    members: ['eth0', 'tap0'],
    missing: {},
  },
  {
    name: 'an upstream without Ethernet',
    mode: 'route',
    links: [ppp, view('tap0')],
    members: ['eth0 point-to-point', 'tap0'],
    missing: {},
  },
  {
    name: 'the same in bridge mode, which needs Ethernet',
    mode: 'bridge',
    links: [ppp, view('tap0')],
    members: ['tap0'],
    missing: { eth0: 'not-ethernet' },
  },
  {
    name: 'a downstream without Ethernet',
    mode: 'route',
    links: [view('eth0'), view('tap0', { type: 65534, mac: '' })],
    members: ['eth0'],
    missing: { tap0: 'not-ethernet' },
  },
  {
    name: 'what is down, and what is not there',
    mode: 'route',
    links: [view('eth0', { running: false })],
    members: [],
    missing: { eth0: 'down', 'tap*': 'absent' },
  },
] as const;

test.each(rows)('$name', ({ mode, links, members, missing }) => {
  const found = membersOf(GROUP, mode, { links, addresses: [] });
  const text = found.links.map(({ ifname, isPointToPoint }) =>
    isPointToPoint === true ? `${ifname} point-to-point` : ifname,
  );
  expect({ members: text, missing: Object.fromEntries(found.missing) }).toEqual({ members, missing });
});
