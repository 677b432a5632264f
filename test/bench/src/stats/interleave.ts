/** Measures once and gives the sample; the argument is the number of the round, from 0. */
export type Contender = (round: number) => Promise<number>;

/**
 * Every round runs every contender once, and who goes first moves on by one each round: a drift of the machine hits all alike, and nobody
 * always runs in another's wake. Gives the samples of each contender by round, so that samples of the same index are a pair.
 */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, Contender>>,
  onRound: (round: number) => void = () => undefined,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contenders) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(names, round)) samples[name].push(await contenders[name](round));
    onRound(round);
  }
  return samples;
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** `above[i] / below[i]` for each pair. Throws RangeError where one has more samples than the other. */
export function pairRatios(above: readonly number[], below: readonly number[]): readonly number[] {
  if (above.length !== below.length) throw new RangeError(`${above.length} samples against ${below.length}`);
  return above.map((sample, i) => sample / (below[i] ?? NaN));
}
