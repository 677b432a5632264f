import { encodeMessage, NLMSG_DONE, NLMSG_ERROR } from '../codec/message';
import type { NetlinkMessage } from '../codec/message';
import { attribute, encode, stringAttribute, u32host } from '../codec/parts';
import type { Part } from '../codec/parts';

// linux/netlink.h
const NLM_F_MULTI = 0x2;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

const s32host = (value: number): Part => u32host(value >>> 0);
const headerOf = (request: NetlinkMessage): Uint8Array => encodeMessage(request).subarray(0, 16);

/** All is well: errno 0 and the header of the request, as with NETLINK_CAP_ACK. */
export const ack = (request: NetlinkMessage): Uint8Array =>
  encodeMessage({
    type: NLMSG_ERROR,
    flags: NLM_F_CAPPED,
    seq: request.seq,
    body: encode(s32host(0), headerOf(request)),
  });

export interface RefusalOptions {
  readonly text?: string;
  readonly offset?: number;
  /** false: the whole request comes back, as without NETLINK_CAP_ACK. */
  readonly capped?: boolean;
}

/** The kernel says no, with the extended ack's text. */
export function refusalOf(
  request: NetlinkMessage,
  errno: number,
  { text, offset, capped = true }: RefusalOptions = {},
): Uint8Array {
  const attributes = [
    ...(text === undefined ? [] : [stringAttribute(NLMSGERR_ATTR_MSG, text)]),
    ...(offset === undefined ? [] : [attribute(NLMSGERR_ATTR_OFFS, u32host(offset))]),
  ];
  return encodeMessage({
    type: NLMSG_ERROR,
    flags: (capped ? NLM_F_CAPPED : 0) | (attributes.length > 0 ? NLM_F_ACK_TLVS : 0),
    seq: request.seq,
    body: encode(s32host(-errno), capped ? headerOf(request) : encodeMessage(request), ...attributes),
  });
}

/** One object in answer to a request; `flags` beyond NLM_F_MULTI. */
export const part = (request: NetlinkMessage, type: number, body: Uint8Array, flags = 0): Uint8Array =>
  encodeMessage({ type, flags: flags | NLM_F_MULTI, seq: request.seq, body });

/** The end of a dump. */
export const done = (request: NetlinkMessage, flags = 0): Uint8Array =>
  encodeMessage({ type: NLMSG_DONE, flags: flags | NLM_F_MULTI, seq: request.seq, body: encode(s32host(0)) });
