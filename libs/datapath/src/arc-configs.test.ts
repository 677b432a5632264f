import {
  arcConfigs,
  giveBackArcConfig,
  takeArcConfig,
  type ArcConfigs,
  type ArcUplinkKind,
} from './arc-configs';
import { poolsWith, type ExtraPool } from './pools';

function configs(...extra: ExtraPool[]): ArcConfigs {
  const pools = poolsWith(extra);
  if (!pools.ok) throw new Error(pools.sentence);
  return arcConfigs(pools.value);
}

/** Takes one after the other; a kind's refusal shows as null. */
function takeAll(from: ArcConfigs, kinds: readonly ArcUplinkKind[]): (string | null)[] {
  let left = from;
  return kinds.map((kind) => {
    const taken = takeArcConfig(left, kind);
    if (taken === null) return null;
    left = taken.left;
    return `${taken.config.subnet} ${String(taken.config.stableMac)}`;
  });
}

test('each kind has its own, in order, and no more', () => {
  expect(
    takeAll(configs(), ['ethernet', 'wifi', 'ethernet', 'ethernet', 'cellular', 'cellular', 'wifi', 'wifi']),
  ).toEqual([
    '100.115.92.4/30 2',
    '100.115.92.12/30 4',
    '100.115.92.8/30 3',
    null,
    '100.115.92.20/30 6',
    null,
    '100.115.92.16/30 5',
    null,
  ]);
});

test('extra address space serves every kind, after its own', () => {
  const extra = configs({ kind: 'arc', cidr: '10.80.0.0/29' });
  expect(takeAll(extra, ['cellular', 'cellular', 'wifi', 'cellular', 'cellular'])).toEqual([
    '100.115.92.20/30 6',
    '10.80.0.0/30 null',
    '100.115.92.12/30 4',
    '10.80.0.4/30 null',
    null,
  ]);
});

test('what is given back last is taken first', () => {
  const first = takeArcConfig(configs(), 'wifi');
  const second = first === null ? null : takeArcConfig(first.left, 'wifi');
  if (first === null || second === null) throw new Error('two wifi configs expected');
  const back = giveBackArcConfig(giveBackArcConfig(second.left, first.config), second.config);
  expect(takeAll(back, ['wifi', 'wifi'])).toEqual(['100.115.92.16/30 5', '100.115.92.12/30 4']);
});
