import { accept, refuse, type Checked } from '@pp/base';
import {
  cidrOverlaps,
  formatCidr,
  ipv4FromNumber,
  ipv4ToNumber,
  isNetwork,
  networkOf,
  parseCidr,
  type Cidr,
  type Ipv4Address,
} from '@pp/wire';
import { hasIndex, lowestAbsent, NO_INDEXES, united, type IndexSet } from './index-set';

type Ipv4Cidr = Extract<Cidr, { family: 'ipv4' }>;

/** Subnets of one size that lie one after the other. */
interface Block {
  /** First address of the first one, as a number. */
  readonly base: number;
  readonly count: number;
}

/** Address space for one use, cut into equal subnets that are numbered from 1 through all blocks. */
export interface Pool {
  readonly subnetLength: number;
  readonly blocks: readonly Block[];
  /** A client may ask for the subnets 1 to `selectable` by number. */
  readonly selectable: number;
  /** Subnets beyond this number are not given out: guests of an earlier run have them. */
  readonly open: number;
  /** Nor are these. */
  readonly reserved: IndexSet;
}

export const POOL_KINDS = ['namespace', 'termina', 'lxd', 'plugin', 'arc'] as const;
export type PoolKind = (typeof POOL_KINDS)[number];

/** All address space of guests. */
export interface Pools {
  readonly byKind: Readonly<Record<PoolKind, Pool>>;
  /** What covers all of it: no packet with such a source may leave by an uplink. */
  readonly guestPrefixes: readonly string[];
  /** What was added to the reference's, in this order. */
  readonly extra: readonly ExtraPool[];
  /** Subnets that guests of an earlier run have and that are not in its pools (`poolsBeside`). */
  readonly held: readonly { readonly kind: PoolKind; readonly subnet: string }[];
}

/** Address space that the operator adds: `--pool KIND=CIDR`. */
export interface ExtraPool {
  readonly kind: PoolKind;
  readonly cidr: string;
}

export interface Subnet {
  readonly index: number;
  /** Network address with prefix length. */
  readonly prefix: string;
}

/** Holds all of the reference's pools (spec/patchpanel.md 2), and nothing else may be in it. */
export const REFERENCE_PREFIX = '100.115.92.0/23';
/** The one subnet of ARC's management link. */
export const ARC_MANAGEMENT_SUBNET = '100.115.92.0/30';

const REFERENCE_POOLS: Pools['byKind'] = {
  arc: reference('100.115.92.4/30', 5),
  termina: reference('100.115.92.24/30', 26),
  namespace: reference('100.115.92.128/30', 16),
  lxd: reference('100.115.92.192/28', 4),
  plugin: { ...reference('100.115.93.0/29', 32), selectable: 32 },
};

/** Not for guests: this host, loopback, link-local, multicast and reserved (RFC 6890). */
const UNUSABLE = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'].map(ipv4Cidr);

/** Reads `KIND=CIDR`. */
export function extraPool(text: string): Checked<ExtraPool> {
  const [kind = '', prefix = '', ...more] = text.split('=');
  if (!isPoolKind(kind) || more.length > 0) {
    return refuse('InvalidArgument', `--pool ${text}: write KIND=CIDR, KIND one of ${POOL_KINDS.join(', ')}`);
  }
  const cidr = parseCidr(prefix);
  if (cidr?.family !== 'ipv4')
    return refuse('InvalidArgument', `--pool ${text}: "${prefix}" is no IPv4 prefix such as 10.80.0.0/16`);
  const { subnetLength } = REFERENCE_POOLS[kind];
  if (!isNetwork(cidr))
    return refuse(
      'InvalidArgument',
      `--pool ${text}: bits of ${prefix} are set beyond its length; write ${kind}=${formatCidr(networkOf(cidr))}`,
    );
  if (cidr.length > subnetLength)
    return refuse(
      'InvalidArgument',
      `--pool ${text}: no room for one /${subnetLength} subnet; write a length of at most ${subnetLength}`,
    );
  if (UNUSABLE.some((range) => cidrOverlaps(range, cidr))) {
    return refuse(
      'InvalidArgument',
      `--pool ${text}: no addresses for guests; use private ones such as 10.80.0.0/16`,
    );
  }
  return accept({ kind, cidr: formatCidr(cidr) });
}

/** The reference's pools, and behind them `extra` in the order given; refused where two overlap. */
export function poolsWith(extra: readonly ExtraPool[]): Checked<Pools> {
  const taken: Ipv4Cidr[] = [ipv4Cidr(REFERENCE_PREFIX)];
  const byKind = { ...REFERENCE_POOLS };
  for (const { kind, cidr } of extra) {
    const added = ipv4Cidr(cidr);
    const clash = taken.find((other) => cidrOverlaps(other, added));
    if (clash !== undefined)
      return refuse(
        'InvalidArgument',
        `--pool ${kind}=${cidr} overlaps ${formatCidr(clash)}; write addresses that nobody else has`,
      );
    taken.push(added);
    byKind[kind] = withBlock(byKind[kind], cidr);
  }
  return accept({ byKind, guestPrefixes: taken.map(formatCidr), extra, held: [] });
}

/** A pool with the subnets of a prefix behind its own. */
export function withBlock(pool: Pool, cidr: string): Pool {
  const block = blockOf(ipv4Cidr(cidr), pool.subnetLength);
  return { ...pool, blocks: [...pool.blocks, block], open: pool.open + block.count };
}

export const subnetCount = (pool: Pool): number => pool.blocks.reduce((sum, { count }) => sum + count, 0);

/** Subnet `index` of the pool, counted from 1; null beyond its end. */
export function nthSubnet(pool: Pool, index: number): string | null {
  if (!Number.isInteger(index) || index < 1) return null;
  let offset = index - 1;
  for (const { base, count } of pool.blocks) {
    if (offset < count) return `${ipv4FromNumber(base + offset * subnetSize(pool))}/${pool.subnetLength}`;
    offset -= count;
  }
  return null;
}

/** Numbers of the subnets that a prefix overlaps. */
export function indexesIn(pool: Pool, prefix: string): readonly number[] {
  const { address, length } = ipv4Cidr(prefix);
  const from = ipv4ToNumber(address);
  const to = from + 2 ** (32 - length);
  const indexes: number[] = [];
  let before = 0;
  for (const { base, count } of pool.blocks) {
    const end = Math.min(count, Math.ceil((to - base) / subnetSize(pool)));
    for (let n = Math.max(0, Math.floor((from - base) / subnetSize(pool))); n < end; n++)
      indexes.push(before + n + 1);
    before += count;
  }
  return indexes;
}

/** Number of a subnet in its pool; null: it is none of it. */
export function indexOfSubnet(pool: Pool, subnet: string): number | null {
  return indexesIn(pool, subnet).find((index) => nthSubnet(pool, index) === subnet) ?? null;
}

/** The lowest free subnet; null when all are used. */
export function allocateSubnet({ byKind }: Pools, kind: PoolKind, used: IndexSet): Subnet | null {
  const pool = byKind[kind];
  const index = lowestAbsent(united(used, pool.reserved));
  const prefix = index <= pool.open ? nthSubnet(pool, index) : null;
  return prefix === null ? null : { index, prefix };
}

/** The subnet that a client asks for by number; 0 means the lowest free one. */
export function selectSubnet(pools: Pools, kind: PoolKind, index: number, used: IndexSet): Checked<Subnet> {
  if (index === 0) {
    const free = allocateSubnet(pools, kind, used);
    return free === null
      ? refuse('ResourceExhausted', `all ${kind} subnets are in use; --pool ${kind}=CIDR adds more`)
      : accept(free);
  }
  const pool = pools.byKind[kind];
  const prefix = index <= pool.selectable ? nthSubnet(pool, index) : null;
  if (prefix === null) {
    const range = pool.selectable === 0 ? 'use 0' : `use 1 to ${pool.selectable}, or 0 for any`;
    return refuse('InvalidArgument', `subnet index ${index} cannot be chosen: ${range}`);
  }
  if (hasIndex(used, index) || hasIndex(pool.reserved, index))
    return refuse('AlreadyExists', `subnet ${index} (${prefix}) is in use`);
  return accept({ index, prefix });
}

/** Address number `offset` of a subnet: 0 is the host's side (base + 1), 1 the guest's. */
export function hostAt(subnet: string, offset: number): string {
  const network = subnet.slice(0, Math.max(0, subnet.indexOf('/'))) as Ipv4Address; // other text is NaN, no address
  return ipv4FromNumber(ipv4ToNumber(network) + 1 + offset);
}

/** All addresses of a network but its first and its last. */
export function hostsOf(network: string): readonly string[] {
  const { address, length } = ipv4Cidr(network);
  const base = ipv4ToNumber(address);
  const last = base + 2 ** (32 - length) - 1;
  const hosts: string[] = []; // BOUNDED: by the network
  for (let host = base + 1; host < last; host++) hosts.push(ipv4FromNumber(host));
  return hosts;
}

export interface SubnetNumbers {
  /** The subnet's first address. */
  readonly base: number;
  readonly length: number;
  /** Both its ends, as `hostAt` has them. */
  readonly host: number;
  readonly guest: number;
}

/** A subnet's addresses as numbers, first octet highest. */
export function subnetNumbers(subnet: string): SubnetNumbers {
  const { address, length } = ipv4Cidr(subnet);
  const base = ipv4ToNumber(address);
  return { base, length, host: base + 1, guest: base + 2 };
}

const isPoolKind = (text: string): text is PoolKind => (POOL_KINDS as readonly string[]).includes(text);

const subnetSize = ({ subnetLength }: Pool): number => 2 ** (32 - subnetLength);

function reference(first: string, count: number): Pool {
  const { address, length } = ipv4Cidr(first);
  const blocks = [{ base: ipv4ToNumber(address), count }];
  return { subnetLength: length, blocks, selectable: 0, open: count, reserved: NO_INDEXES };
}

const blockOf = ({ address, length }: Ipv4Cidr, subnetLength: number): Block => ({
  base: ipv4ToNumber(address),
  count: 2 ** (subnetLength - length),
});

/** For text that was checked before. */
function ipv4Cidr(text: string): Ipv4Cidr {
  const cidr = parseCidr(text);
  if (cidr?.family !== 'ipv4') throw new Error(`not an IPv4 prefix: ${text}`);
  return cidr;
}
