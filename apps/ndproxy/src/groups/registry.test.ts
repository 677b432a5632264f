import type { DesiredGroup } from './desired-groups';
import { GroupRegistry } from './registry';
import type { Status } from './status';

const LAN: DesiredGroup = { name: 'lan', upstream: 'eth0', downstreams: ['tap0'] };

interface Row {
  readonly name: string;
  readonly run: (registry: GroupRegistry) => Status;
  readonly want: string;
  /** As "lan: eth0 < tap0". */
  readonly groups?: readonly string[];
}

const UNCHANGED = ['lan: eth0 < tap0'];
const rows: readonly Row[] = [
  {
    name: 'an interface is bound, though it does not exist',
    run: (r) => r.bindInterface('tap9'),
    want: 'OK',
  },
  {
    name: 'bound twice',
    run: (r) => r.bindInterface('tap0'),
    want: "Already Exists: 'tap0' is bound already",
  },
  {
    name: 'no name',
    run: (r) => r.bindInterface(''),
    want: "Invalid Argument: '' cannot be proxied; name an Ethernet interface",
  },
  {
    name: 'loopback',
    run: (r) => r.bindInterface('lo'),
    want: "Invalid Argument: 'lo' cannot be proxied; name an Ethernet interface",
  },
  {
    name: 'a released interface leaves its group',
    run: (r) => r.releaseInterface('eth0'),
    want: 'OK',
    groups: ['lan: - < tap0'],
  },
  {
    name: 'releasing what is not bound',
    run: (r) => r.releaseInterface('x'),
    want: "Does Not Exist: interface 'x' is not bound",
  },
  {
    name: 'a new group',
    run: (r) => r.createGroup('b_1-c'),
    want: 'OK',
    groups: [...UNCHANGED, 'b_1-c: - < '],
  },
  {
    name: 'a group twice',
    run: (r) => r.createGroup('lan'),
    want: "Already Exists: group 'lan' is there already",
  },
  {
    name: 'a group with a blank',
    run: (r) => r.createGroup('a b'),
    want: "Invalid Argument: 'a b' cannot be a group; write letters, digits, _ and -",
  },
  {
    name: 'a released group frees its members',
    run: (r) => (r.releaseGroup('lan'), r.removeFromGroup('tap0')),
    want: "Result Unavailable: 'tap0' is in no group",
    groups: [],
  },
  {
    name: 'releasing a group that is not there',
    run: (r) => r.releaseGroup('x'),
    want: "Does Not Exist: there is no group 'x'",
  },
  {
    name: 'a member more',
    run: (r) => (r.bindInterface('tap1'), r.addToGroup('tap1', 'lan', false)),
    want: 'OK',
    groups: ['lan: eth0 < tap0 tap1'],
  },
  {
    name: 'a member more, as upstream',
    run: (r) => (r.bindInterface('eth1'), r.addToGroup('eth1', 'lan', true)),
    want: 'OK',
    groups: ['lan: eth1 < eth0 tap0'],
  },
  { name: 'a member again', run: (r) => r.addToGroup('tap0', 'lan', false), want: 'OK', groups: UNCHANGED },
  {
    name: 'a member of another group',
    run: (r) => (r.createGroup('b'), r.addToGroup('tap0', 'b', false)),
    want: "Already Exists: 'tap0' is in group 'lan'",
  },
  {
    name: 'adding what is not bound',
    run: (r) => r.addToGroup('x', 'lan', false),
    want: "Does Not Exist: interface 'x' is not bound",
  },
  {
    name: 'adding to what is not there',
    run: (r) => r.addToGroup('tap0', 'x', false),
    want: "Does Not Exist: there is no group 'x'",
  },
  {
    name: 'the upstream leaves',
    run: (r) => r.removeFromGroup('eth0'),
    want: 'OK',
    groups: ['lan: - < tap0'],
  },
  { name: 'another upstream', run: (r) => r.setUpstream('tap0'), want: 'OK', groups: ['lan: tap0 < eth0'] },
  {
    name: 'an upstream that is not bound',
    run: (r) => r.setUpstream('x'),
    want: "Does Not Exist: interface 'x' is not bound",
  },
  {
    name: 'an upstream without group',
    run: (r) => (r.bindInterface('x'), r.setUpstream('x')),
    want: "Result Unavailable: 'x' is in no group",
  },
  { name: 'no upstream', run: (r) => r.unsetUpstream('lan'), want: 'OK', groups: ['lan: - < eth0 tap0'] },
  {
    name: 'no upstream of no group',
    run: (r) => r.unsetUpstream('x'),
    want: "Does Not Exist: there is no group 'x'",
  },
];

test.each(rows)('$name', ({ run, want, groups }) => {
  const registry = new GroupRegistry([LAN]);
  let told: readonly DesiredGroup[] = [];
  registry.start((all) => {
    told = all;
  });
  expect(run(registry).toString()).toBe(want);
  const text = told.map(
    ({ name, upstream, downstreams }) => `${name}: ${upstream ?? '-'} < ${downstreams.join(' ')}`,
  );
  if (groups !== undefined) expect(text).toEqual(groups);
});
