import type { NetlinkRequest } from './request';

// A datagram must fit the send buffer, its acks the receive buffer (about 1 KiB each, 208 KiB where the larger one is not allowed).
const MAX_DATAGRAM_BYTES = 16 << 10;
const MAX_DATAGRAM_MESSAGES = 64;

/** Requests in order, cut into what may go as one datagram. */
export function chunksOf(requests: readonly NetlinkRequest[]): readonly (readonly NetlinkRequest[])[] {
  const all: NetlinkRequest[][] = []; // BOUNDED: by `requests`
  let bytes = Infinity;
  for (const request of requests) {
    const last = all.at(-1);
    bytes += 16 + request.body.length;
    if (last === undefined || bytes > MAX_DATAGRAM_BYTES || last.length >= MAX_DATAGRAM_MESSAGES) {
      all.push([request]);
      bytes = 16 + request.body.length;
    } else {
      last.push(request);
    }
  }
  return all;
}
