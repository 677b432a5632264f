/** Routes by nexthop objects get their hops, on a scripted kernel and on Linux. */
import { execFileSync } from 'node:child_process';
import { NetlinkClient } from '../client';
import type { NetlinkMessage } from '../codec/message';
import { encodeIp, familyNumber } from '../codec/ip';
import { attribute, encode, optional, u32host, u8 } from '../codec/parts';
import { describeOnKernel, done, part, scripted, TestNetns } from '../testing';
import { withHops } from './nexthop';
import type { Nexthop } from './nexthop';
import type { Hop, Route } from './route';
import { dumpRoutes } from './route-requests';
import { RTM_GETNEXTHOP, RTM_NEWNEXTHOP } from './types';

const to = (via: string | null, ifindex: number, onlink = false): Hop => ({ via, ifindex, onlink });
const one = (id: number, hop: Hop | null, group: readonly number[] = []): Nexthop => ({ id, hop, group });

interface Row {
  readonly name: string;
  /** What there is, and the id of the one that the default route names. */
  readonly nexthops: (link: number) => readonly [Nexthop, ...Nexthop[]];
  readonly want: (link: number) => readonly Hop[];
}

const rows: readonly Row[] = [
  {
    name: 'by a gateway',
    nexthops: (link) => [one(1, to('10.0.0.2', link)), one(2, to('10.0.0.3', link))],
    want: (link) => [to('10.0.0.2', link)],
  },
  { name: 'on the link', nexthops: (link) => [one(1, to(null, link))], want: (link) => [to(null, link)] },
  {
    name: 'by a gateway that no prefix covers',
    nexthops: (link) => [one(1, to('192.0.2.1', link, true))],
    want: (link) => [to('192.0.2.1', link, true)],
  },
  {
    name: 'by an IPv6 gateway',
    nexthops: (link) => [one(1, to('fd00::2', link))],
    want: (link) => [to('fd00::2', link)],
  },
  {
    name: 'by a group, each of its members',
    nexthops: (link) => [one(9, null, [1, 2]), one(1, to('10.0.0.2', link)), one(2, to('10.0.0.3', link))],
    want: (link) => [to('10.0.0.2', link), to('10.0.0.3', link)],
  },
  { name: 'that ends there', nexthops: () => [one(1, null)], want: () => [] },
];

describe('a scripted kernel', () => {
  const LINK = 4;
  const DEFAULT: Route = {
    family: 'ipv4',
    kind: 'unicast',
    dst: '0.0.0.0/0',
    src: null,
    table: 254,
    metric: 0,
    protocol: 3,
    hops: [],
  };
  const asked: number[] = [];
  const clientOf = (nexthops: readonly Nexthop[]): NetlinkClient => {
    asked.length = 0;
    const { open } = scripted((request) => {
      asked.push(request.type);
      return [...nexthops.map((nexthop) => show(request, nexthop)), done(request)];
    });
    return new NetlinkClient(open);
  };

  test.each(rows)('$name', async ({ nexthops, want }) => {
    const all = nexthops(LINK);
    const route = { ...DEFAULT, nexthopId: all[0].id };
    expect(await withHops(clientOf(all), [route])).toEqual([{ ...route, hops: want(LINK) }]);
    expect(asked).toEqual([RTM_GETNEXTHOP]);
  });

  test('where every route tells its hops nothing is asked', async () => {
    const routes = [{ ...DEFAULT, hops: [to('10.0.0.2', LINK)], nexthopId: 1 }, { ...DEFAULT, kind: 'blackhole' as const }]; // prettier-ignore
    expect(await withHops(clientOf([]), routes)).toEqual(routes);
    expect(asked).toEqual([]);
  });

  test('one that went meanwhile has no hops', async () => {
    const route = { ...DEFAULT, nexthopId: 7 };
    expect(await withHops(clientOf([one(1, to(null, LINK))]), [route])).toEqual([route]);
  });
});

const show = (request: NetlinkMessage, { id, hop, group }: Nexthop): Uint8Array =>
  part(
    request,
    RTM_NEWNEXTHOP,
    encode(
      u8(familyNumber(hop?.via?.includes(':') === true ? 'ipv6' : 'ipv4'), 0, 0, 0),
      u32host(hop?.onlink === true ? 4 : 0),
      attribute(1, u32host(id)),
      optional(group.length === 0 ? null : group, (ids) =>
        attribute(2, ...ids.flatMap((member) => [u32host(member), u32host(0)])),
      ),
      optional(hop?.ifindex, (ifindex) => attribute(5, u32host(ifindex))),
      optional(hop?.via, (via) => attribute(6, encodeIp(via))),
    ),
  );

describeOnKernel('Linux', (native) => {
  let netns: TestNetns;
  let client: NetlinkClient;
  /** ifindex of br0, up, 10.0.0.1/24 and fd00::1/64. */
  let br0: number;

  const inside = (program: string, words: string): string =>
    native.runInNetns(netns.fd, () => execFileSync(program, words.split(' '), { encoding: 'utf8' }));
  const make = ({ id, hop, group }: Nexthop): string =>
    inside('ip', `nexthop add id ${id} ${hop === null ? (group.length > 0 ? `group ${group.join('/')}` : 'blackhole') : hopWords(hop)}`); // prettier-ignore
  const hopWords = ({ via, onlink }: Hop): string =>
    `${via === null ? '' : `via ${via} `}dev br0${onlink ? ' onlink' : ''}`;

  beforeEach(async () => {
    netns = new TestNetns(native);
    client = netns.client('route');
    inside('sysctl', '-qw net.ipv4.nexthop_compat_mode=0');
    inside('ip', 'link set lo up'); // a blackhole lies on it
    br0 = await netns.bridge(client);
  });

  afterEach(() => {
    netns.close();
  });

  test.each(rows)('$name', async ({ nexthops, want }) => {
    const all = nexthops(br0);
    for (const nexthop of all.toReversed()) make(nexthop); // members before their group
    const { id, hop } = all[0];
    const family = hop?.via?.includes(':') === true ? '-6 ' : '';
    inside('ip', `${family}route add default metric 77 nhid ${id}`);
    const routes = (await client.dump(dumpRoutes({ table: 254 }))).filter(({ metric }) => metric === 77);
    expect(routes).toMatchObject([{ nexthopId: id, hops: [] }]);
    expect((await withHops(client, routes))[0]?.hops).toEqual(want(br0));
  });
});
