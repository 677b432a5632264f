import type { Arc } from './domain/guest';
import type { Uplink } from './domain/uplink';
import { statusOf } from './status';
import { followUplinks } from './domain/arc-devices';
import { arc, uplink, worldOf } from './testing/worlds';

const TAPS = [2, 3, 4, 5, 6].map((number) => ({ tap: `vmtap${number - 1}`, mac: '', number }));
const VM: Arc = { ...arc(), taps: TAPS };
const CONTAINER: Arc = { ...VM, container: { inode: 1, startTime: '1' } };
const ethernet = (n: number): Uplink => ({
  ...uplink(`eth${n}`, 'ethernet', n === 0 ? 100 : null),
  ifindex: 2 + n,
});

const ROWS: readonly {
  readonly name: string;
  readonly guest: Arc | null;
  readonly uplinks: readonly Uplink[];
  readonly want: readonly string[];
}[] = [
  { name: 'all is well', guest: VM, uplinks: [ethernet(0), ethernet(1)], want: [] },
  { name: 'no guest', guest: null, uplinks: [0, 1, 2].map(ethernet), want: [] },
  {
    name: 'no default route',
    guest: null,
    uplinks: [ethernet(1)],
    want: ['no uplink holds a default route: guests reach nothing outside'],
  },
  {
    name: "an Android VM's two addresses for ethernet are in use",
    guest: VM,
    uplinks: [0, 1, 2].map(ethernet),
    want: [
      'Android does not reach uplink eth2: all its addresses for ethernet uplinks are in use; it gets one when another ethernet uplink goes',
    ],
  },
  {
    name: "a container's, which can have more",
    guest: CONTAINER,
    uplinks: [0, 1, 2, 3].map(ethernet),
    want: ['eth2', 'eth3'].map(
      (ifname) =>
        `Android does not reach uplink ${ifname}: all its addresses for ethernet uplinks are in use; start the manager with more, e.g. --pool arc=10.80.0.0/28`,
    ),
  },
  {
    name: 'two adapters of one maker, by names that are cut to the same',
    guest: VM,
    uplinks: ['enx00e04c680011', 'enx00e04c689991'].map((ifname) => uplink(ifname, 'ethernet', 100)),
    want: [
      'Android does not reach uplink enx00e04c689991: its bridge would be arc_enx00e04c61, as that of enx00e04c680011 is; give one of them a shorter name',
    ],
  },
  {
    name: 'a VPN is nothing that Android has a device for',
    guest: VM,
    uplinks: [ethernet(0), uplink('wg0', 'vpn', 50)],
    want: [],
  },
];

test.each(ROWS)('warnings: $name', ({ guest, uplinks, want }) => {
  const guests = guest === null ? [] : [followUplinks(guest, uplinks, () => '02:00:00:00:00:01')];
  expect(statusOf(worldOf(uplinks, guests), [], []).warnings).toEqual(want);
});
