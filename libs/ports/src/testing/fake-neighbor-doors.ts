import type { GroupMemberships, HostRoute, HostRoutes, NeighborGuard, RouteFault } from '../neighbor-doors';

/** Routes as a table; strict: an interface in `gone` refuses additions. */
export class FakeHostRoutes implements HostRoutes {
  readonly #routes = new Map<string, HostRoute>(); // BOUNDED: by the test
  readonly gone = new Set<number>();

  constructor(routes: readonly HostRoute[] = []) {
    for (const route of routes) this.#routes.set(route.address, route);
  }

  /** "2001:db8::2 dev #2 src 2001:db8::a", sorted. */
  get text(): readonly string[] {
    return [...this.#routes.values()]
      .map(
        ({ address, ifindex, source }) =>
          `${address} dev #${ifindex}${source === null ? '' : ` src ${source}`}`,
      )
      .sort();
  }

  /** Somebody else takes it away. */
  take(address: string): void {
    this.#routes.delete(address);
  }

  list(): Promise<readonly HostRoute[]> {
    return Promise.resolve([...this.#routes.values()]);
  }

  change(add: readonly HostRoute[], del: readonly HostRoute[]): Promise<readonly RouteFault[]> {
    for (const { address, ifindex } of del)
      if (this.#routes.get(address)?.ifindex === ifindex) this.#routes.delete(address);
    const refused = add.filter(({ ifindex }) => this.gone.has(ifindex));
    for (const route of add) if (!refused.includes(route)) this.#routes.set(route.address, route);
    return Promise.resolve(refused.map((route) => ({ route, reason: 'ENODEV' })));
  }
}

export class FakeGuard implements NeighborGuard {
  /** null: no table. */
  protected: readonly string[] | null = null;
  from: Parameters<NeighborGuard['protect']>[1] | null = null;

  protect(ifnames: readonly string[], from: Parameters<NeighborGuard['protect']>[1]): Promise<void> {
    this.protected = [...ifnames];
    this.from = from;
    return Promise.resolve();
  }

  remove(): Promise<void> {
    this.protected = null;
    return Promise.resolve();
  }
}

/** Memberships as "2:ff02...", in hex; strict: leaving what was not joined throws. */
export class FakeMemberships implements GroupMemberships {
  readonly joined = new Set<string>();
  /** Interfaces that are not there. */
  readonly gone = new Set<number>();

  join(ifindex: number, group: Uint8Array): boolean {
    if (this.gone.has(ifindex)) return false;
    if (this.joined.has(key(ifindex, group))) throw new Error(`joined twice: ${key(ifindex, group)}`);
    this.joined.add(key(ifindex, group));
    return true;
  }

  leave(ifindex: number, group: Uint8Array): void {
    if (!this.joined.delete(key(ifindex, group))) throw new Error(`not joined: ${key(ifindex, group)}`);
  }

  close(): void {
    this.joined.clear();
  }
}

const key = (ifindex: number, group: Uint8Array): string =>
  `${ifindex}:${Array.from(group, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
