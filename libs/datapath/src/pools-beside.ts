import { cidrContains, parseCidr } from '@pp/wire';
import { indexSetOf } from './index-set';
import {
  indexesIn,
  indexOfSubnet,
  POOL_KINDS,
  withBlock,
  type ExtraPool,
  type PoolKind,
  type Pools,
} from './pools';

/** A subnet that a guest has, from the pool of that kind. */
export interface HeldSubnet {
  readonly kind: PoolKind;
  readonly subnet: string;
}

/**
 * `pools` beside guests of an earlier run, which had the pools `former`: those of them that guests still need stay guests' address
 * space and have numbers behind all others, but nothing of them is given out, nor what overlaps a subnet that is held.
 */
export function poolsBeside(
  pools: Pools,
  former: readonly ExtraPool[],
  guests: readonly HeldSubnet[],
): Pools {
  const held = guests.filter(({ kind, subnet }) => indexOfSubnet(pools.byKind[kind], subnet) === null);
  const needed = former.filter(({ kind, cidr }) =>
    held.some((each) => each.kind === kind && contains(cidr, each.subnet)),
  );
  if (needed.length === 0) return pools;
  const byKind = Object.fromEntries(
    POOL_KINDS.map((kind) => {
      const pool = pools.byKind[kind];
      const reserved = indexSetOf(held.flatMap(({ subnet }) => indexesIn(pool, subnet)));
      const grown = needed
        .filter((each) => each.kind === kind)
        .reduce((all, { cidr }) => withBlock(all, cidr), pool);
      return [kind, { ...grown, open: pool.open, reserved }];
    }),
  ) as Pools['byKind'];
  return {
    byKind,
    guestPrefixes: outermost([...pools.guestPrefixes, ...needed.map(({ cidr }) => cidr)]),
    extra: [...pools.extra, ...needed],
    held,
  };
}

/** Without those that lie in another: nftables refuses a set whose prefixes overlap. */
const outermost = (prefixes: readonly string[]): readonly string[] =>
  prefixes.filter((inner) => !prefixes.some((outer) => outer !== inner && contains(outer, inner)));

function contains(outer: string, inner: string): boolean {
  const [a, b] = [parseCidr(outer), parseCidr(inner)];
  return a !== null && b !== null && cidrContains(a, b);
}
