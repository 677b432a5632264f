/** Just enough rtnetlink to test sockets with; libs/netlink is the real thing. Numbers are of linux/rtnetlink.h and linux/netlink.h. */
export const NLM = { request: 1, ack: 4, excl: 0x200, create: 0x400, dump: 0x300 } as const;
export const RTM = { newLink: 16, delLink: 17, getLink: 18 } as const;
export const NLMSG = { error: 2, done: 3 } as const;
export const IFLA = { ifname: 3, linkinfo: 18, group: 27 } as const;
const IFLA_INFO_KIND = 1;

const HEADER_BYTES = 16;
const IFINFO_BYTES = 16;
const aligned = (length: number): number => (length + 3) & ~3;

export function attribute(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(4 + payload.length));
  new DataView(bytes.buffer).setUint16(0, 4 + payload.length, true);
  new DataView(bytes.buffer).setUint16(2, type, true);
  bytes.set(payload, 4);
  return bytes;
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(`${value}\0`));
export const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);

/** A link request: header, ifinfomsg, attributes. */
export function linkRequest(
  type: number,
  flags: number,
  sequence: number,
  attributes: readonly Uint8Array[] = [],
  ifindex = 0,
): Uint8Array {
  const body = Buffer.concat(attributes);
  const bytes = new Uint8Array(HEADER_BYTES + IFINFO_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | NLM.request, true);
  view.setUint32(8, sequence, true);
  view.setInt32(HEADER_BYTES + 4, ifindex, true);
  bytes.set(body, HEADER_BYTES + IFINFO_BYTES);
  return bytes;
}

/** Creates a veth pair, one end in a link group. */
export function newVeth(name: string, sequence: number, group: number): Uint8Array {
  const kind = attribute(IFLA_INFO_KIND, text('veth'));
  return linkRequest(RTM.newLink, NLM.ack | NLM.create | NLM.excl, sequence, [
    attribute(IFLA.ifname, text(name)),
    attribute(IFLA.group, u32(group)),
    attribute(IFLA.linkinfo, kind),
  ]);
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Of NLMSG_ERROR and NLMSG_DONE: the errno, positive; 0 is an ack. */
  readonly errno: number;
  readonly body: Uint8Array;
}

export function messages(datagram: Uint8Array): Message[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const found: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= datagram.length;) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    found.push({
      type,
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      errno:
        type === NLMSG.error || type === NLMSG.done ? Math.abs(view.getInt32(at + HEADER_BYTES, true)) : 0,
      body: datagram.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return found;
}
