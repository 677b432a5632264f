import { KernelError } from '@pp/base';
import type { Native } from '@pp/native';
import {
  addRoute,
  delRoute,
  dumpRoutes,
  NetlinkClient,
  netlinkIn,
  replaceRoute,
  type NewRoute,
  type Route,
} from '@pp/netlink';
import type { HostRoute, HostRoutes, RouteFault } from '@pp/ports';

const MAIN_TABLE = 254; // RT_TABLE_MAIN, linux/rtnetlink.h
/** What the kernel gives a route of IPv6 without one (IP6_RT_PRIO_USER). */
const METRIC = 1024;
const HOST_LENGTH = '/128';

/** Routes to single addresses in table main, by rtnetlink. `protocol`: rtm_protocol, this service's own. */
export class NetlinkHostRoutes implements HostRoutes {
  readonly #client: NetlinkClient;

  constructor(
    native: Pick<Native, 'openNetlink' | 'runInNetns'>,
    private readonly protocol: number,
  ) {
    this.#client = new NetlinkClient(netlinkIn(native, 'route'));
  }

  async list(): Promise<readonly HostRoute[]> {
    const routes = await this.#client.dump(dumpRoutes({ protocol: this.protocol }));
    return routes.filter((route) => this.#isOwn(route)).flatMap(hostRoutes);
  }

  async change(add: readonly HostRoute[], del: readonly HostRoute[]): Promise<readonly RouteFault[]> {
    const gone = await this.#client.requestMany(del.map((route) => delRoute(this.#route(route))));
    const made = await this.#client.requestMany(add.map((route) => replaceRoute(this.#route(route))));
    const retried = await this.#withoutSource(add, made);
    return [...faults(del, gone).filter(({ fault }) => !ABSENT.has(fault.code)), ...faults(add, retried)].map(
      ({ route, fault }) => ({ route, reason: fault.message }),
    );
  }

  close(): void {
    this.#client.close();
  }

  /** The source may have gone meanwhile, or not be usable yet: the route is worth more than its source. */
  async #withoutSource(add: readonly HostRoute[], made: Results): Promise<Results> {
    const again = add.map((route, i) =>
      made[i] instanceof KernelError && route.source !== null ? route : null,
    );
    return Promise.all(
      again.map(async (route, i) => {
        if (route === null) return made[i] ?? [];
        const [result = []] = await this.#client.requestMany([
          addRoute(this.#route({ ...route, source: null })),
        ]);
        return result;
      }),
    );
  }

  #isOwn({ family, table, protocol, dst }: Route): boolean {
    return (
      family === 'ipv6' && table === MAIN_TABLE && protocol === this.protocol && dst.endsWith(HOST_LENGTH)
    );
  }

  #route({ address, ifindex, source }: HostRoute): NewRoute {
    return {
      kind: 'unicast',
      dst: `${address}${HOST_LENGTH}`,
      hop: { via: null, ifindex, onlink: false },
      src: source,
      table: MAIN_TABLE,
      metric: METRIC,
      protocol: this.protocol,
    };
  }
}

type Results = Awaited<ReturnType<NetlinkClient['requestMany']>>;

const faults = (
  routes: readonly HostRoute[],
  results: Results,
): readonly { readonly route: HostRoute; readonly fault: KernelError }[] =>
  routes.flatMap((route, i) => {
    const fault = results[i];
    return fault instanceof KernelError ? [{ route, fault }] : [];
  });

/** A route goes with its interface. */
const ABSENT = new Set(['ESRCH', 'ENODEV', 'ENOENT']);

const hostRoutes = ({ dst, src, hops }: Route): readonly HostRoute[] =>
  hops.flatMap(({ ifindex }) =>
    ifindex === null ? [] : [{ address: dst.slice(0, -HOST_LENGTH.length), ifindex, source: src }],
  );
