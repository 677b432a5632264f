import { printable } from './printable';

/** Rows under a head line, columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return all.map((row) => `${line(row)}\n`).join('');
}

/**
 * A status object for a person, in the order of the object: one line for each plain value, then one section for each list of objects
 * (a table) or of sentences (a line each).
 */
export function statusText(status: object): string {
  const entries = Object.entries(status) as [string, unknown][];
  const plain = entries.filter(([, value]) => sectionOf(value) === undefined);
  const width = Math.max(0, ...plain.map(([key]) => key.length));
  const lines = plain.map(([key, value]) => `${key.padEnd(width)}  ${cell(value)}\n`);
  const sections = entries.flatMap(([key, value]) => {
    const section = sectionOf(value);
    return section === undefined ? [] : [`\n${key}\n${section}`];
  });
  return [...lines, ...sections].join('');
}

function sectionOf(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const items = value as readonly unknown[];
  if (items.every((item) => typeof item === 'object' && item !== null)) return objectTable(items);
  return items.some((item) => typeof item === 'string' && item.includes(' '))
    ? items.map((item) => `${cell(item)}\n`).join('')
    : undefined;
}

function objectTable(rows: readonly object[]): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return table(
    keys,
    rows.map((row) => keys.map((key) => cell((row as Readonly<Record<string, unknown>>)[key]))),
  );
}

function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(',');
  if (typeof value === 'object') return pairs(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return printable(text);
}

const pairs = (value: object): string =>
  Object.entries(value)
    .map(([key, inner]) => `${key}=${cell(inner)}`)
    .join(' ');
