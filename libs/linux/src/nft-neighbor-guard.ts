import { KernelError } from '@pp/base';
import type { Native } from '@pp/native';
import {
  addElements,
  appendRule,
  batch,
  declareIfnameSet,
  declarePreroutingChain,
  declareTable,
  delTable,
  encodeKey,
  flushChain,
  flushSet,
  NetlinkClient,
  netlinkIn,
  nft,
  type ChainRef,
  type SetRef,
  type TableRef,
} from '@pp/netlink';
import type { NeighborGuard } from '@pp/ports';

/** NF_IP6_PRI_RAW, linux/netfilter_ipv6.h: before connection tracking. */
const PRIORITY_RAW = -300;
const NFPROTO_IPV6 = 10;
const IPPROTO_ICMPV6 = 58;
/** Router solicitation to redirect, RFC 4861 §4. */
const ND_TYPES = { first: 133, last: 137 } as const;
const IPV6_DESTINATION_AT = 24; // RFC 8200 §3

/**
 * One nft table of this name with one rule: neighbour discovery, or all IPv6, that comes in on a guarded interface, to one station that is
 * not this host, is dropped before it is routed. Packet sockets have seen it by then. By nfnetlink: no nft(8) is needed.
 */
export class NftNeighborGuard implements NeighborGuard {
  readonly #client: NetlinkClient;
  readonly #table: TableRef;
  readonly #chain: ChainRef;
  readonly #members: SetRef;

  constructor(native: Pick<Native, 'openNetlink' | 'runInNetns'>, tableName: string) {
    this.#client = new NetlinkClient(netlinkIn(native, 'netfilter'));
    this.#table = { family: 'inet', name: tableName };
    this.#chain = { table: this.#table, name: 'prerouting' };
    this.#members = { table: this.#table, name: 'members' };
  }

  async protect(ifnames: readonly string[], from: Parameters<NeighborGuard['protect']>[1]): Promise<void> {
    const elements = ifnames.map((ifname) => ({ key: encodeKey(['ifname'], [ifname]), text: ifname }));
    const requests = [
      declareTable(this.#table),
      declarePreroutingChain(this.#chain, PRIORITY_RAW),
      flushChain(this.#chain),
      declareIfnameSet(this.#members, 1),
      flushSet(this.#members),
      ...(elements.length > 0 ? addElements(this.#members, elements) : []),
      appendRule(this.#chain, this.#rule(from === 'all ipv6' ? [] : IS_NEIGHBOR_DISCOVERY)),
    ];
    await this.#client.transaction(batch(() => `guard ${ifnames.join(' ')}`, requests));
  }

  async remove(): Promise<void> {
    try {
      await this.#client.transaction(batch(() => `guard.del ${this.#table.name}`, [delTable(this.#table)]));
    } catch (fault) {
      if (!(fault instanceof KernelError && fault.code === 'ENOENT')) throw fault;
    }
  }

  close(): void {
    this.#client.close();
  }

  #rule(isGuarded: readonly nft.Expression[]): readonly nft.Expression[] {
    return [
      nft.meta('iifname'),
      nft.isIn(this.#members.name),
      nft.meta('nfproto'),
      nft.compare('eq', Uint8Array.of(NFPROTO_IPV6)),
      ...isGuarded,
      nft.payload('network', IPV6_DESTINATION_AT, 1),
      nft.compare('neq', Uint8Array.of(0xff)),
      nft.destinationType(),
      nft.compare('neq', nft.LOCAL_TYPE),
      nft.count(),
      nft.drop(),
    ];
  }
}

const IS_NEIGHBOR_DISCOVERY: readonly nft.Expression[] = [
  nft.meta('l4proto'),
  nft.compare('eq', Uint8Array.of(IPPROTO_ICMPV6)),
  nft.payload('transport', 0, 1),
  nft.compare('gte', Uint8Array.of(ND_TYPES.first)),
  nft.compare('lte', Uint8Array.of(ND_TYPES.last)),
];
