import type { HostRoute, HostRoutes } from '../neighbor-doors';

/** Routes of two interfaces; a third is not there. */
export interface HostRoutesSubject {
  readonly routes: HostRoutes;
  readonly first: number;
  readonly second: number;
  readonly gone: number;
}

interface Row {
  readonly name: string;
  /** What is asked; resolves with the addresses that were refused. */
  readonly change: (subject: HostRoutesSubject) => Promise<readonly string[]>;
  /** "ADDRESS first" or "ADDRESS second", and the refusals. */
  readonly want: { readonly routes: readonly string[]; readonly refused: readonly string[] };
}

const A = '2001:db8::1';
const B = '2001:db8::2';
const to = (address: string, ifindex: number): HostRoute => ({ address, ifindex, source: null });

async function refused(
  { routes }: HostRoutesSubject,
  add: readonly HostRoute[],
  del: readonly HostRoute[] = [],
): Promise<readonly string[]> {
  return (await routes.change(add, del)).map(({ route }) => route.address);
}

/** What every HostRoutes does. */
export const HOST_ROUTES_ROWS: readonly Row[] = [
  { name: 'there is none at first', change: () => Promise.resolve([]), want: { routes: [], refused: [] } },
  {
    name: 'those that are added are there',
    change: (s) => refused(s, [to(A, s.first), to(B, s.second)]),
    want: { routes: [`${A} first`, `${B} second`], refused: [] },
  },
  {
    name: 'adding again what is there changes nothing',
    change: async (s) => [...(await refused(s, [to(A, s.first)])), ...(await refused(s, [to(A, s.first)]))],
    want: { routes: [`${A} first`], refused: [] },
  },
  {
    name: 'one that moves is deleted and added in one change',
    change: async (s) => {
      await refused(s, [to(A, s.first)]);
      return refused(s, [to(A, s.second)], [to(A, s.first)]);
    },
    want: { routes: [`${A} second`], refused: [] },
  },
  {
    name: 'those that are deleted are gone, and deleting them again is no failure',
    change: async (s) => {
      await refused(s, [to(A, s.first), to(B, s.first)]);
      await refused(s, [], [to(A, s.first)]);
      return refused(s, [], [to(A, s.first)]);
    },
    want: { routes: [`${B} first`], refused: [] },
  },
  {
    name: 'one through an interface that is gone is refused, the others are made',
    change: (s) => refused(s, [to(A, s.gone), to(B, s.first)]),
    want: { routes: [`${B} first`], refused: [A] },
  },
  {
    name: 'deleting one through an interface that is gone is no failure',
    change: (s) => refused(s, [], [to(A, s.gone)]),
    want: { routes: [], refused: [] },
  },
];

/** Does what the row says; resolves with what it wants to see. */
export async function runHostRoutesRow(row: Row, subject: HostRoutesSubject): Promise<Row['want']> {
  const { first, routes } = subject;
  const refusals = await row.change(subject);
  const listed = (await routes.list()).map(
    ({ address, ifindex }) => `${address} ${ifindex === first ? 'first' : 'second'}`,
  );
  return { routes: listed.sort(), refused: refusals };
}
