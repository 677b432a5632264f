import { KernelError, type Logger } from '@pp/base';
import type { HostRoute, HostRoutes } from '@pp/ports';

/** Brings the kernel's routes in line with those wished for, one change at a time; wishes that come meanwhile go together. */
export class RouteSync {
  readonly #wished = new Map<string, HostRoute>(); // BOUNDED: by the location tables
  readonly #installed = new Map<string, HostRoute>(); // BOUNDED: as above
  readonly #dirty = new Set<string>();
  #busy: Promise<void> | null = null;
  #closed = false;
  failures = 0;

  constructor(
    private readonly routes: HostRoutes,
    private readonly log: Logger,
  ) {}

  get installed(): Iterable<HostRoute> {
    return this.#installed.values();
  }

  /** Routes of an earlier process; they stay until they are wished away. Where there is a wish already, it holds. */
  async adopt(): Promise<readonly HostRoute[]> {
    const routes = (await this.routes.list()).filter(({ address }) => !this.#wished.has(address));
    for (const route of routes) {
      this.#installed.set(route.address, route);
      this.#wished.set(route.address, route);
    }
    return routes;
  }

  wish(address: string, route: HostRoute | null): void {
    if (isSame(this.#wished.get(address) ?? null, route)) return;
    if (route === null) this.#wished.delete(address);
    else this.#wished.set(address, route);
    this.#dirty.add(address);
    this.#busy ??= this.#work();
  }

  /** `dst`: with its length. */
  isInstalled(dst: string): boolean {
    return this.#installed.has(dst.replace(/\/128$/, ''));
  }

  /** Others have taken routes away: those that are wished for and not there are made again. */
  async restore(): Promise<void> {
    await this.settled();
    const there = await this.#addresses();
    const lost = [...this.#installed.keys()].filter((address) => there?.has(address) === false);
    for (const address of lost) {
      this.#installed.delete(address);
      this.#dirty.add(address);
    }
    if (lost.length > 0) this.#busy ??= this.#work();
  }

  /** Routes through an interface that is gone went with it. */
  forgetInterface(ifindex: number): void {
    for (const [address, route] of this.#installed)
      if (route.ifindex === ifindex) this.#installed.delete(address);
  }

  /** Settles when the kernel has what is wished now. */
  async settled(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
  }

  /** Takes all routes away. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    await this.routes.change([], [...this.#installed.values()]);
    this.#installed.clear();
  }

  /** null: they cannot be read now. */
  async #addresses(): Promise<ReadonlySet<string> | null> {
    try {
      return new Set((await this.routes.list()).map(({ address }) => address));
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      this.log.warn('routes.unread', { error: fault.message });
      return null;
    }
  }

  async #work(): Promise<void> {
    await Promise.resolve(); // what is wished in the same turn goes together
    while (this.#dirty.size > 0 && !this.#closed) await this.#change([...this.#dirty]);
    this.#busy = null;
  }

  async #change(addresses: readonly string[]): Promise<void> {
    this.#dirty.clear();
    const [add, del]: [HostRoute[], HostRoute[]] = [[], []];
    for (const address of addresses) {
      const [had, want] = [this.#installed.get(address), this.#wished.get(address)];
      if (had !== undefined && want?.ifindex !== had.ifindex) del.push(had);
      if (want !== undefined && !isSame(had ?? null, want)) add.push(want);
    }
    for (const { address } of del) this.#installed.delete(address);
    for (const route of add) this.#installed.set(route.address, route);
    for (const { route, reason } of await this.routes.change(add, del)) {
      this.failures += 1;
      if (this.#installed.get(route.address) === route) this.#installed.delete(route.address);
      this.log.debug('route.refused', { address: route.address, ifindex: route.ifindex, reason });
    }
  }
}

const isSame = (a: HostRoute | null, b: HostRoute | null): boolean =>
  a === b || (a !== null && b !== null && a.ifindex === b.ifindex && a.source === b.source);
