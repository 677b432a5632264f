import { MAC_LENGTH } from './addr/mac';
import type { Decoded } from './decoded';
import { Reader } from './reader';

// IEEE 802 numbers, host order
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;

export const ETHERNET_HEADER = 14;

/** An Ethernet II frame without tag; the slices are views of the frame. */
export interface EthernetFrame {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

export function decodeEthernet(frame: Uint8Array): Decoded<EthernetFrame> {
  const r = new Reader(frame);
  const destination = r.bytes(MAC_LENGTH);
  const source = r.bytes(MAC_LENGTH);
  const etherType = r.u16be();
  const payload = r.rest();
  return r.finish(() => ({ destination, source, etherType, payload }));
}

export function encodeEthernet({ destination, source, etherType, payload }: EthernetFrame): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + payload.length);
  frame.set(destination, 0);
  frame.set(source, MAC_LENGTH);
  frame[12] = etherType >>> 8;
  frame[13] = etherType;
  frame.set(payload, ETHERNET_HEADER);
  return frame;
}

/** The group bit, IEEE 802-2014 §8.2.2; of an address, or of the one that begins at `at`. */
export const isGroupAddress = (bytes: Uint8Array, at = 0): boolean => ((bytes[at] ?? 0) & 1) === 1;
