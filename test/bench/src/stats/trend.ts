import { median } from './spread';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Slope as the median of the slopes of all pairs (Theil-Sen): a few outliers do not move it. Throws RangeError below two distinct x. */
export function slopeOf(points: readonly Point[]): number {
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).flatMap((b) => (a.x === b.x ? [] : [(b.y - a.y) / (b.x - a.x)])),
  );
  return median(slopes);
}

/** What y gains by the trend from the first to the last of `points`, which are in order of x. */
export function growthOver(points: readonly Point[]): number {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('no samples');
  return slopeOf(points) * (last.x - first.x);
}
