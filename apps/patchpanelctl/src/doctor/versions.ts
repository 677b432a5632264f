/** Whether release `a` came before `b`: "0.9.2" before "0.10.0". What is no release is older than nothing. */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  if (left === null || right === null) return false;
  const at = left.findIndex((number, i) => number !== right[i]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}

function numbersOf(release: string): readonly number[] | null {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(release) ?? [];
  return parts.length === 0 ? null : parts.map(Number);
}
