import { KernelError, type Logger } from '@pp/base';
import { ROUTING_TAG_MASK, routingTag } from '@pp/datapath';
import type { Native } from '@pp/native';
import {
  delConnection,
  dumpConnections,
  flushConnections,
  flushConnectionsOf,
  NetlinkClient,
  netlinkIn,
  type ConnectionEnds,
  type ConnectionFilter,
} from '@pp/netlink';
import type { Connections, DeadConnections } from '@pp/ports';

export interface NetlinkConnectionsOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly log: Logger;
  /** Namespace to work in; default: the process's own. */
  readonly netnsFd?: number;
}

const DNS_PORT = 53;

/** The connection table by ctnetlink. A connection's mark tells the interface that it is pinned to. */
export class NetlinkConnections implements Connections {
  readonly #client: NetlinkClient;
  readonly #log: Logger;

  constructor({ native, log, netnsFd }: NetlinkConnectionsOptions) {
    this.#client = new NetlinkClient(netlinkIn(native, 'netfilter', netnsFd));
    this.#log = log;
  }

  async forget({ pinned, addressed, guests, udp, lookups }: DeadConnections): Promise<void> {
    try {
      await this.#forgetEnds([
        ...guests.flatMap((address) => [{ source: address }, { answerer: address }]),
        ...udp.map(({ address, port }) => ({ destination: address, udpPort: port })),
        ...lookups.map((address) => ({ source: address, udpPort: DNS_PORT })),
      ]);
      for (const { ifindex, family } of pinned)
        await this.#client.request(flushConnections(pinnedTo(ifindex, family)));
      for (const { ifindex, address } of addressed) await this.#forgetAddress(ifindex, address);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#log.warn('connections.unforgotten', { cause: error.message });
    }
  }

  close(): void {
    this.#client.close();
  }

  /** A kernel before Linux 6.12 cannot: there they end by their own time, as with any other NAT. */
  async #forgetEnds(ends: readonly ConnectionEnds[]): Promise<void> {
    const results = await this.#client.requestMany(ends.map(flushConnectionsOf));
    const refused = results.find((result) => result instanceof KernelError && result.code !== 'EINVAL');
    if (refused instanceof KernelError) throw refused;
  }

  async #forgetAddress(ifindex: number, address: string): Promise<void> {
    const all = await this.#client.dump(
      dumpConnections(pinnedTo(ifindex, address.includes(':') ? 'ipv6' : 'ipv4')),
    );
    const dead = all.filter(({ source, replyTo }) => source === address || replyTo === address);
    const results = await this.#client.requestMany(dead.map(delConnection));
    const refused = results.find((result) => result instanceof KernelError && result.code !== 'ENOENT');
    if (refused instanceof KernelError) throw refused;
  }
}

const pinnedTo = (ifindex: number, family: ConnectionFilter['family']): ConnectionFilter => ({
  mark: routingTag(ifindex),
  mask: ROUTING_TAG_MASK,
  family,
});
