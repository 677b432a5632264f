import { attribute, encode, nested, stringAttribute, u32be, u32host } from '../codec/parts';
import type { Part } from '../codec/parts';

/** One expression of a rule. A rule stops at the first that does not hold. */
export type Expression = Part;

// linux/netfilter/nf_tables.h
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_LIST_ELEM = 1;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NF_DROP = 0;

const META_KEYS = { iifname: 6, nfproto: 15, l4proto: 16 } as const;
const PAYLOAD_BASES = { network: 1, transport: 2 } as const;
const COMPARISONS = { eq: 0, neq: 1, lte: 3, gte: 5 } as const;

// All of these work on one register, which each load overwrites.

/** Loads a fact of the packet: its interface's name (16 bytes), family or protocol (1 byte). */
export const meta = (key: keyof typeof META_KEYS): Expression =>
  expression('meta', attribute(1, u32be(NFT_REG_1)), attribute(2, u32be(META_KEYS[key])));

/** Loads bytes of a header. */
export const payload = (base: keyof typeof PAYLOAD_BASES, offset: number, length: number): Expression =>
  expression(
    'payload',
    attribute(1, u32be(NFT_REG_1)),
    attribute(2, u32be(PAYLOAD_BASES[base])),
    attribute(3, u32be(offset)),
    attribute(4, u32be(length)),
  );

/** Loads what the routing table makes of the destination address: RTN_* in host order. */
export const destinationType = (): Expression =>
  expression(
    'fib',
    attribute(1, u32be(NFT_REG_1)),
    attribute(2, u32be(3)), // NFT_FIB_RESULT_ADDRTYPE
    attribute(3, u32be(2)), // NFTA_FIB_F_DADDR
  );

/** Holds when the loaded bytes compare so. */
export const compare = (op: keyof typeof COMPARISONS, value: Uint8Array): Expression =>
  expression(
    'cmp',
    attribute(1, u32be(NFT_REG_1)),
    attribute(2, u32be(COMPARISONS[op])),
    nested(3, attribute(NFTA_DATA_VALUE, value)),
  );

/** RTN_LOCAL of linux/rtnetlink.h, as `destinationType` loads it. */
export const LOCAL_TYPE = encode(u32host(2));

/** Holds when the loaded bytes are an element of the set. */
export const isIn = (set: string): Expression =>
  expression('lookup', stringAttribute(1, set), attribute(2, u32be(NFT_REG_1)));

export const count = (): Expression => expression('counter');

export const drop = (): Expression =>
  expression(
    'immediate',
    attribute(1, u32be(NFT_REG_VERDICT)),
    nested(2, nested(NFTA_DATA_VERDICT, attribute(NFTA_VERDICT_CODE, u32be(NF_DROP)))),
  );

function expression(name: string, ...data: readonly Part[]): Expression {
  return nested(NFTA_LIST_ELEM, stringAttribute(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, ...data));
}
