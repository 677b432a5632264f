export interface Change<T> {
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

/** What is in one list and not in the other, by value. */
export function changeOf<T>(before: readonly T[], after: readonly T[]): Change<T> {
  if (before.length === 0 || after.length === 0) return { removed: before, added: after };
  const text = (value: T): string => JSON.stringify(value);
  const [old, now] = [new Set(before.map(text)), new Set(after.map(text))];
  return {
    removed: before.filter((value) => !now.has(text(value))),
    added: after.filter((value) => !old.has(text(value))),
  };
}
