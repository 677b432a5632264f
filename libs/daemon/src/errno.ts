/** The errno by name that node's own errors carry; undefined for anything else. */
export function errnoOf(fault: unknown): string | undefined {
  const holder: { readonly code?: unknown } = typeof fault === 'object' && fault !== null ? fault : {};
  return typeof holder.code === 'string' ? holder.code : undefined;
}
