import { Attributes } from './attributes';
import { MalformedError } from './malformed';
import { align4, getU16host, getU32host, readS32host, readU32host, viewOf } from './numbers';
import { encode } from './parts';
import type { Writer } from './writer';

// linux/netlink.h, struct nlmsghdr: u32 len, u16 type, u16 flags, u32 seq, u32 pid.
const HEADER = 16;

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
/** In a reply: the tables changed during the dump; it may lack entries or hold some twice. */
export const NLM_F_DUMP_INTR = 0x10;
// Modifiers of GET, then of NEW.
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
// Flags of NLMSG_ERROR and of NLMSG_DONE.
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

// enum nlmsgerr_attrs
const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  /** What follows the header: the family's own header, then attributes. */
  readonly body: Uint8Array;
}

/** As it came. `portId`: of the socket that the kernel answers, or by which that was done which it tells of. */
export interface ReceivedMessage extends NetlinkMessage {
  readonly portId: number;
}

/** The kernel's verdict on one request (NLMSG_ERROR), or on a dump (NLMSG_DONE). */
export interface Verdict {
  /** 0: done; else errno, positive. */
  readonly errno: number;
  /** The kernel's sentence, or ''. */
  readonly text: string;
  /** Byte of the request message, from its header on, that is to blame; null: not said. */
  readonly offset: number | null;
}

/** The port id is left 0: the kernel takes the socket's. */
export const encodeMessage = (message: NetlinkMessage): Uint8Array => encodeMessages([message]);

/** One datagram. */
export const encodeMessages = (messages: readonly NetlinkMessage[]): Uint8Array =>
  encode((out) => {
    for (const message of messages) putMessage(out, message);
  });

function putMessage(out: Writer, { type, flags, seq, body }: NetlinkMessage): void {
  out.u32host(HEADER + body.length);
  out.u16host(type);
  out.u16host(flags);
  out.u32host(seq);
  out.u32host(0);
  out.bytes(body);
  out.zeros(align4(body.length) - body.length);
}

/** The messages of one datagram; their bodies are parts of it. Throws MalformedError. */
export function decodeMessages(datagram: Uint8Array): readonly ReceivedMessage[] {
  const messages: ReceivedMessage[] = [];
  const view = viewOf(datagram);
  for (let at = 0; at < datagram.length;) {
    if (at + HEADER > datagram.length)
      throw new MalformedError(`${datagram.length - at} bytes after the last message`);
    const length = getU32host(view, at);
    if (length < HEADER || length > datagram.length - at)
      throw new MalformedError(`message of ${length} bytes`);
    messages.push({
      type: getU16host(view, at + 4),
      flags: getU16host(view, at + 6),
      seq: getU32host(view, at + 8),
      portId: getU32host(view, at + 12),
      body: datagram.subarray(at + HEADER, at + length),
    });
    at += align4(length);
  }
  return messages;
}

/** struct nlmsgerr: s32 error, the request's header, the request's body unless capped, then attributes. */
export function decodeError({ flags, body }: NetlinkMessage): Verdict {
  if (body.length < 4 + HEADER) throw new MalformedError(`error message of ${body.length} bytes`);
  const echoed = (flags & NLM_F_CAPPED) !== 0 ? HEADER : align4(readU32host(body, 4));
  return verdict(flags, body, 4 + echoed);
}

/** The end of a dump: s32 error, then attributes. Some families send no error field when all is well. */
export const decodeDone = ({ flags, body }: NetlinkMessage): Verdict =>
  body.length < 4 ? { errno: 0, text: '', offset: null } : verdict(flags, body, 4);

function verdict(flags: number, body: Uint8Array, attributesAt: number): Verdict {
  const errno = 0 - readS32host(body, 0);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: '', offset: null };
  if (attributesAt > body.length) throw new MalformedError(`error message of ${body.length} bytes`);
  const attributes = new Attributes(body, attributesAt);
  return {
    errno,
    text: attributes.string(NLMSGERR_ATTR_MSG) ?? '',
    offset: attributes.u32host(NLMSGERR_ATTR_OFFS),
  };
}
