/** What gives what `make` makes: once, after the events that are at hand, or as soon as it is asked for. */
export function prepared<T>(make: () => T, defer: (task: () => void) => void): () => T {
  let made: { readonly value: T } | null = null;
  const give = (): T => (made ??= { value: make() }).value;
  defer(give);
  return give;
}
