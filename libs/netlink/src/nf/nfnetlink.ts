import { encode, u16be, u8 } from '../codec/parts';
import type { Part } from '../codec/parts';
import type { Writer } from '../codec/writer';
import type { NetlinkRequest } from '../request';

// linux/netfilter.h, NFPROTO_*
const FAMILIES = { inet: 1, ip: 2, ip6: 10 } as const;
export type TableFamily = keyof typeof FAMILIES;

/** A table of nftables. */
export interface TableRef {
  readonly family: TableFamily;
  readonly name: string;
}

// linux/netfilter/nfnetlink.h
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_SUBSYS_NFTABLES = 10;

/** Length of struct nfgenmsg: u8 family, u8 version, u16be res_id. */
export const NFGENMSG = 4;

/** enum nf_tables_msg_types, with the subsystem in the upper byte. */
export const messageType = (type: number): number => (NFNL_SUBSYS_NFTABLES << 8) | type;

export const nfgenmsg =
  (family: TableFamily): Part =>
  (out) => {
    putNfgenmsg(out, family);
  };

export function putNfgenmsg(out: Writer, family: TableFamily): void {
  out.u8(FAMILIES[family]);
  out.u8(0);
  out.u16be(0);
}

export const familyOf = (number: number): TableFamily | null =>
  number === FAMILIES.inet ? 'inet' : number === FAMILIES.ip ? 'ip' : number === FAMILIES.ip6 ? 'ip6' : null;

/**
 * For `NetlinkClient.transaction`: the kernel does all requests or none. `label` names the whole, for what no single one is to blame. The last
 * request alone is acked: before that the kernel tells of all that it refuses.
 */
export const batch = (
  label: () => string,
  requests: readonly NetlinkRequest[],
): readonly NetlinkRequest[] => [
  frame(label, NFNL_MSG_BATCH_BEGIN),
  ...requests.map((request, place) =>
    place === requests.length - 1 ? request : { ...request, silent: true as const },
  ),
  frame(label, NFNL_MSG_BATCH_END),
];

const frame = (label: () => string, type: number): NetlinkRequest => ({
  label,
  type,
  flags: 0,
  body: FRAME,
  silent: true,
});

const FRAME = encode(u8(0, 0), u16be(NFNL_SUBSYS_NFTABLES));
