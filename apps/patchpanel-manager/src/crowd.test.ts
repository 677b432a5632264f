import { plan } from '@pp/datapath';
import { isCountedChanged } from './domain/counted';
import { deviceChange } from './domain/devices';
import { forwardingChange } from './domain/forwarding';
import type { Guest } from './domain/guest';
import { takesAway, withAllGuests, type World } from './domain/world';
import { DesiredState } from './desired';
import { namespace, vm, worldOf } from './testing/worlds';
import { connectNamespace } from './usecases/connect-namespace';
import { releaseEnded } from './usecases/release-ended';
import { startVm } from './usecases/start-vm';
import { entriesBetween } from './world-entries';

const CROWD = Array.from({ length: 10 }, (_, i) => ({
  ...namespace(i, { kind: 'default' }),
  subnetIndex: i + 1,
}));
const bytes = (n: number): Uint8Array => new Uint8Array(n).fill(7);
const request = {
  client: { pid: 7, inode: 99 },
  outboundDevice: '',
  routeOnVpn: false,
  allowUserTraffic: false,
  source: 'USER',
  owner: 1000,
  passedOver: 0,
} as const;

const rows: readonly {
  name: string;
  decide: (world: World) => ReturnType<typeof connectNamespace | typeof startVm | typeof releaseEnded>;
}[] = [
  { name: 'a namespace comes', decide: (world) => connectNamespace(world, request, bytes) },
  {
    name: 'a VM comes',
    decide: (world) =>
      startVm(world, { kind: 'termina', id: '9', subnetIndex: 0, tapOwner: 0, owner: 0 }, bytes),
  },
  { name: 'a VM goes', decide: (world) => releaseEnded(world, ['plugin/5']) },
];

test.each(rows)('no guest that stays is looked at when $name', ({ decide }) => {
  let looks = 0;
  const watched = CROWD.map(
    (guest): Guest =>
      new Proxy(guest, {
        get(target, field): unknown {
          looks++;
          return Reflect.get(target, field);
        },
      }),
  );
  const desired = new DesiredState();
  const empty = { ...worldOf([], []), nextNamespace: CROWD.length };
  const from = withAllGuests(empty, [...watched, vm('plugin', 'vmtap0')]);
  desired.of(from);
  expect(looks).toBeGreaterThan(0);
  looks = 0;
  const decision = decide(from);
  if (!decision.ok) throw new Error(decision.sentence);
  const { world: to } = decision.value;
  const ops = plan(desired.of(from), desired.of(to), to.originals);
  expect([
    ops.length > 0,
    entriesBetween(from, to).put.size + entriesBetween(from, to).del.length > 0,
  ]).toEqual([true, true]);
  for (const change of [forwardingChange, deviceChange, isCountedChanged, takesAway]) change(from, to);
  expect(looks).toBe(0);
});
