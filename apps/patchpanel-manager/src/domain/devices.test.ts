import { vm, worldOf } from '../testing/worlds';
import { deviceChange } from './devices';
import type { World } from './world';

const world = (...taps: readonly string[]): World =>
  worldOf(
    [],
    taps.map((tap) => ({ ...vm('termina', tap), id: tap })),
  );

test('devices come and go with their guests', () => {
  const [none, one, two] = [world(), world('vmtap0'), world('vmtap0', 'vmtap1')];
  const rows = [
    { in: [none, one], want: { removed: [], added: ['vmtap0'] } },
    { in: [one, two], want: { removed: [], added: ['vmtap1'] } },
    { in: [two, one], want: { removed: ['vmtap1'], added: [] } },
    { in: [two, none], want: { removed: ['vmtap0', 'vmtap1'], added: [] } },
    { in: [one, one], want: { removed: [], added: [] } },
  ] as const;
  const names = (devices: readonly { readonly ifname: string }[]): readonly string[] =>
    devices.map(({ ifname }) => ifname);
  for (const { in: worlds, want } of rows) {
    const { removed, added } = deviceChange(...worlds);
    expect({ removed: names(removed), added: names(added) }).toEqual(want);
  }
});
