import { SharedMap } from '@pp/base';
import { uplinksPart } from '@pp/datapath';
import type { DatapathLoss } from '@pp/ports';
import { GUEST_PART, UPLINK, wanted } from '../testing/wanted';
import { areaOf, LossJudge, type Area, type Damage } from './losses';

const TABLE: DatapathLoss = { on: 'table', by: 'nft (pid 7)' };
const edit = (adds: boolean): DatapathLoss => ({ on: 'edit', by: 'nft (pid 7)', adds });

const rows: readonly {
  readonly name: string;
  readonly in: readonly DatapathLoss[];
  readonly want: Damage;
}[] = [
  { name: 'nothing', in: [], want: 'none' },
  { name: 'the table', in: [TABLE], want: 'table' },
  { name: 'a rule of the table', in: [edit(false)], want: 'table' },
  { name: 'a chain that is none of ours', in: [edit(true)], want: 'new table' },
  { name: 'one, and rules', in: [edit(false), edit(true), edit(false)], want: 'new table' },
  { name: 'one, and then the table', in: [edit(true), TABLE], want: 'new table' },
  { name: 'a guest link', in: [{ on: 'link', ifname: 'arc_ns0' }], want: 'network' },
  { name: 'the link of a guest that is no more', in: [{ on: 'link', ifname: 'arc_ns1' }], want: 'none' },
  {
    name: 'the address of a guest link',
    in: [{ on: 'address', cidr: '100.115.92.129/30' }],
    want: 'network',
  },
  {
    name: 'that of a guest that is no more',
    in: [{ on: 'address', cidr: '100.115.92.133/30' }],
    want: 'none',
  },
  { name: "an address of the host's own", in: [{ on: 'address', cidr: '192.0.2.99/24' }], want: 'network' },
  { name: 'an address that the kernel makes', in: [{ on: 'address', cidr: 'fe80::1/64' }], want: 'none' },
  { name: 'a route', in: [{ on: 'route', dst: '::/0', table: 1002 }], want: 'network' },
  { name: 'a route of another table', in: [{ on: 'route', dst: '::/0', table: 1003 }], want: 'none' },
  { name: 'a rule', in: [{ on: 'rule', family: 'ipv6', priority: 1010 }], want: 'network' },
  {
    name: 'a rule that is wanted no more',
    in: [{ on: 'rule', family: 'ipv6', priority: 32764 }],
    want: 'none',
  },
  { name: 'a link of others', in: [{ on: 'uplink' }], want: 'network' },
  { name: 'nobody knows what', in: [{ on: 'unknown' }], want: 'all' },
  { name: 'a rule and the table', in: [TABLE, { on: 'uplink' }], want: 'all' },
];

test.each(rows)('damage: $name', ({ in: losses, want: damage }) => {
  expect(new LossJudge().damageOf(losses, wanted)).toBe(damage);
});

test('without a table of ours none can be lost', () => {
  expect(new LossJudge().damageOf([TABLE, edit(true)], { ...wanted, shape: null })).toBe('none');
});

test('what is wanted no more is told from what still is, without a look at what stays', () => {
  const judge = new LossJudge();
  const lost: readonly DatapathLoss[] = [{ on: 'link', ifname: 'arc_ns0' }];
  let looks = 0;
  const watched = new Proxy(uplinksPart([UPLINK]), {
    get(target, field): unknown {
      looks++;
      return Reflect.get(target, field);
    },
  });
  const parts = SharedMap.of([
    ['uplinks', watched],
    ['namespace/0', GUEST_PART],
  ]);
  expect(judge.damageOf(lost, { ...wanted, parts })).toBe('network');
  expect(looks).toBeGreaterThan(0);
  looks = 0;
  const left = parts.changed([], ['namespace/0']);
  const damages = [left, left.changed([['namespace/0', GUEST_PART]]), left].map((now) =>
    judge.damageOf(lost, { ...wanted, parts: now }),
  );
  expect([damages, looks]).toEqual([['none', 'network', 'none'], 0]);
});

const areas: readonly { readonly name: string; readonly in: DatapathLoss; readonly want: Area }[] = [
  { name: 'the table', in: TABLE, want: 'table' },
  { name: 'an edit', in: edit(true), want: 'table' },
  { name: 'a link of ours', in: { on: 'link', ifname: 'arc_ns0' }, want: 'guests' },
  { name: "a guest's address", in: { on: 'address', cidr: '100.115.92.129/30' }, want: 'guests' },
  { name: 'a link-local address', in: { on: 'address', cidr: 'fe80::1/64' }, want: 'guests' },
  { name: "an uplink's address", in: { on: 'address', cidr: '192.0.2.10/24' }, want: 'host' },
  { name: 'a route of main', in: { on: 'route', dst: '2001:db8::5/128', table: 254 }, want: 'guests' },
  { name: "a route of an uplink's table", in: { on: 'route', dst: '0.0.0.0/0', table: 1002 }, want: 'host' },
  { name: 'a rule', in: { on: 'rule', family: 'ipv4', priority: 1000 }, want: 'host' },
  { name: 'an uplink', in: { on: 'uplink' }, want: 'host' },
  { name: 'what nobody could tell', in: { on: 'unknown' }, want: 'host' },
];

test.each(areas)('whose $name is', ({ in: loss, want: area }) => {
  expect(areaOf(loss, ['100.115.92.0/23'])).toBe(area);
});
