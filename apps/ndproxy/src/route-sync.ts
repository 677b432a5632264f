import { BoundedMap, KernelError, type Logger } from '@pp/base';
import type { HostRoute, HostRoutes } from '@pp/ports';
import { ipv6FromBytes, ipv6ToBytes, parseIpv6 } from '@pp/wire';
import { AddressRows, NONE } from './core/address-rows';

/** A route but for its address. */
export type Way = Pick<HostRoute, 'ifindex' | 'source'>;

/** Ways that are remembered so that routes share them; BOUNDED: with more, some routes have a way of their own. */
const SHARED_WAYS = 256;

/**
 * Brings the kernel's routes in line with those wished for, one change at a time; wishes that come meanwhile go together. Kept in columns
 * by row, since there are thousands. BOUNDED: by the location tables.
 */
export class RouteSync {
  readonly #rows: AddressRows;
  readonly #wished: (Way | null)[] = [];
  readonly #installed: (Way | null)[] = [];
  readonly #dirty = new Set<number>();
  readonly #ways = new BoundedMap<string, Way>(SHARED_WAYS, () => undefined);
  #busy: Promise<void> | null = null;
  #closed = false;
  failures = 0;

  /** `seed`: see AddressRows. */
  constructor(
    private readonly routes: HostRoutes,
    private readonly log: Logger,
    seed = 0,
  ) {
    this.#rows = new AddressRows(seed);
  }

  /** What the kernel has by our hand; made anew each time. */
  get installed(): Iterable<HostRoute> {
    return [...this.#installedRows()].map(([row, way]) => this.#routeAt(row, way));
  }

  /** Routes of an earlier process; they stay until they are wished away. Where there is a wish already, it holds. */
  async adopt(): Promise<readonly HostRoute[]> {
    const adopted: HostRoute[] = [];
    for (const route of await this.routes.list()) {
      const row = this.#rowFor(bytesOf(route.address));
      if (this.#wishAt(row) !== null) continue;
      this.#wished[row] = this.#installed[row] = this.#shared(route);
      adopted.push(route);
    }
    return adopted;
  }

  /** null: there is to be none. */
  wish(address: Uint8Array, way: Way | null): void {
    if (isSame(this.#wishAt(this.#rows.find(address)), way)) return;
    const row = this.#rowFor(address);
    this.#wished[row] = way === null ? null : this.#shared(way);
    this.#dirty.add(row);
    this.#busy ??= this.#work();
  }

  /** `dst`: with its length. */
  isInstalled(dst: string): boolean {
    const address = parseIpv6(dst.replace(/\/128$/, ''));
    return address !== null && this.#installedAt(this.#rows.find(ipv6ToBytes(address))) !== null;
  }

  /** Others have taken routes away: those that are wished for and not there are made again. */
  async restore(): Promise<void> {
    await this.settled();
    const there = await this.#addresses();
    if (there === null) return;
    for (const [row, way] of this.#installedRows()) {
      if (there.has(this.#routeAt(row, way).address)) continue;
      this.#installed[row] = null;
      this.#dirty.add(row);
    }
    if (this.#dirty.size > 0) this.#busy ??= this.#work();
  }

  /** Routes through an interface that is gone went with it. */
  forgetInterface(ifindex: number): void {
    for (const [row, way] of this.#installedRows()) if (way.ifindex === ifindex) this.#uninstall(row);
  }

  /** Settles when the kernel has what is wished now. */
  async settled(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
  }

  /** Takes all routes away. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    await this.routes.change([], [...this.installed]);
    this.#installed.fill(null);
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
    while (this.#dirty.size > 0 && !this.#closed) await this.#change();
    this.#busy = null;
  }

  async #change(): Promise<void> {
    const [add, del]: [HostRoute[], HostRoute[]] = [[], []];
    const rows = [...this.#dirty];
    this.#dirty.clear();
    for (const row of rows) {
      const [had, want] = [this.#installedAt(row), this.#wishAt(row)];
      if (had !== null && want?.ifindex !== had.ifindex) del.push(this.#routeAt(row, had));
      if (want !== null && !isSame(had, want)) add.push(this.#routeAt(row, want));
      this.#installed[row] = want;
      this.#leaveIfEmpty(row);
    }
    for (const { route, reason } of await this.routes.change(add, del)) {
      this.failures += 1;
      const row = this.#rows.find(bytesOf(route.address));
      if (isSame(this.#installedAt(row), route)) this.#uninstall(row);
      this.log.debug('route.refused', { address: route.address, ifindex: route.ifindex, reason });
    }
  }

  #wishAt(row: number): Way | null {
    return row === NONE ? null : (this.#wished[row] ?? null);
  }

  #installedAt(row: number): Way | null {
    return row === NONE ? null : (this.#installed[row] ?? null);
  }

  *#installedRows(): IterableIterator<readonly [row: number, way: Way]> {
    for (const [row, way] of this.#installed.entries()) if (way !== null) yield [row, way];
  }

  #routeAt(row: number, { ifindex, source }: Way): HostRoute {
    return { address: ipv6FromBytes(this.#rows.addressAt(row)), ifindex, source };
  }

  #rowFor(address: Uint8Array): number {
    const known = this.#rows.find(address);
    if (known !== NONE) return known;
    const row = this.#rows.add(address);
    this.#wished[row] = this.#installed[row] = null;
    return row;
  }

  #uninstall(row: number): void {
    this.#installed[row] = null;
    this.#leaveIfEmpty(row);
  }

  #leaveIfEmpty(row: number): void {
    const isEmpty = this.#wishAt(row) === null && this.#installedAt(row) === null && !this.#dirty.has(row);
    if (isEmpty) this.#rows.remove(row);
  }

  /** One object for all routes that go the same way. */
  #shared({ ifindex, source }: Way): Way {
    const key = `${ifindex} ${source ?? ''}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const way = { ifindex, source };
    this.#ways.set(key, way);
    return way;
  }
}

/** Of an address as the kernel tells it. */
export function bytesOf(text: string): Uint8Array {
  const address = parseIpv6(text);
  if (address === null) throw new Error(`a route to '${text}'`);
  return ipv6ToBytes(address);
}

const isSame = (a: Way | null, b: Way | null): boolean =>
  a === b || (a !== null && b !== null && a.ifindex === b.ifindex && a.source === b.source);
