/** What gives what `make` makes: once, when `defer` has its turn, or as soon as it is asked for. */
export function prepared<T>(make: () => T, defer: (task: () => void) => void): () => T {
  let made: { readonly value: T } | null = null;
  const give = (): T => (made ??= { value: make() }).value;
  defer(give);
  return give;
}
