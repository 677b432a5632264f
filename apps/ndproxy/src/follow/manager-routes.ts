import type { ForwardingClient } from '@pp/forwarding';
import type { HostRoute, HostRoutes, RouteFault } from '@pp/ports';
import { ipv6ToBytes, parseIpv6 } from '@pp/wire';

/** A guest's link and the upstream whose prefix it shares. */
export interface Place {
  readonly ifname: string;
  readonly upstream: string;
}

export interface ManagerRoutesOptions {
  readonly manager: Pick<ForwardingClient, 'neighborDetected' | 'neighborLost'>;
  /** The routes that are there by the manager's hand, also for an earlier run of this process. */
  readonly installed: Pick<HostRoutes, 'list'>;
  /** undefined: no downstream of a group now. */
  readonly placeOf: (ifindex: number) => Place | undefined;
}

/**
 * Routes that the manager makes, because it is told where guests' addresses are. When this process ends they stay: the next run takes
 * them over, and meanwhile guests keep what they have.
 */
export class ManagerRoutes implements HostRoutes {
  readonly #options: ManagerRoutesOptions;
  /** Where addresses were said to be. BOUNDED: by the location tables. */
  readonly #told = new Map<string, Place>();
  #isRetired = false;

  constructor(options: ManagerRoutesOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly HostRoute[]> {
    const { installed, placeOf } = this.#options;
    const served = (await installed.list()).filter(({ ifindex }) => placeOf(ifindex) !== undefined);
    for (const route of served) this.#report(route); // so that a later run of the manager is told of them, too
    return served;
  }

  /** The manager takes the source from the upstream itself. It never fails here: what it refuses, it has reasons to. */
  change(add: readonly HostRoute[], del: readonly HostRoute[]): Promise<readonly RouteFault[]> {
    if (this.#isRetired) return Promise.resolve([]);
    for (const { address } of del) this.#lose(address);
    for (const route of add) this.#report(route);
    return Promise.resolve([]);
  }

  /** From now on nothing is told. */
  retire(): void {
    this.#isRetired = true;
  }

  #report({ address, ifindex }: HostRoute): void {
    const { placeOf, manager } = this.#options;
    const place = placeOf(ifindex);
    if (place === undefined) return;
    this.#told.set(address, place);
    manager.neighborDetected({ ...place, address: bytesOf(address) });
  }

  #lose(address: string): void {
    const place = this.#told.get(address);
    this.#told.delete(address);
    if (place !== undefined) this.#options.manager.neighborLost({ ...place, address: bytesOf(address) });
  }
}

function bytesOf(text: string): Uint8Array {
  const address = parseIpv6(text);
  if (address === null) throw new Error(`route to '${text}'`);
  return ipv6ToBytes(address);
}
