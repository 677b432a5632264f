/** One more of `thing` in `counts`, or one less; of what none is left nothing is kept. */
export function count(counts: Map<string, number>, thing: string, by: 1 | -1): void {
  const counted = (counts.get(thing) ?? 0) + by;
  if (counted > 0) counts.set(thing, counted);
  else counts.delete(thing);
}
