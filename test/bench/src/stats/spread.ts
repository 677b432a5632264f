/** Five numbers that say where measurements lie; all in the unit of the samples. */
export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly max: number;
}

/** Throws RangeError on no samples: a benchmark that measured nothing has no figure. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = Float64Array.from(samples).sort();
  const at = (share: number): number => quantileOfSorted(sorted, share);
  return { count: sorted.length, min: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75), max: at(1) };
}

export function median(samples: readonly number[]): number {
  return quantileOfSorted(Float64Array.from(samples).sort(), 0.5);
}

/** Linear between the two nearest ranks (Hyndman and Fan 1996, definition 7). `share` in [0, 1]. */
function quantileOfSorted(sorted: Float64Array, share: number): number {
  const rank = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  if (below === undefined || above === undefined) throw new RangeError('no samples');
  return below + (above - below) * (rank - Math.floor(rank));
}
