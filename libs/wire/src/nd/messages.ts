import { IPV6_LENGTH } from '../addr/ipv6';
import { undecoded, type Decoded } from '../decoded';
import { Icmp6Type, type Icmp6Message } from '../icmp6';
import { Reader } from '../reader';
import { Writer } from '../writer';
import { decodeNdOptions, encodeNdOptions, type NdOption } from './options';

/** RFC 4861 §4.2, RFC 6275 §7.1 (H), RFC 4191 §2.2 (Prf), RFC 4389 §4.1.3.3 (P). */
export const RaFlag = { managed: 0x80, other: 0x40, homeAgent: 0x20, preference: 0x18, proxy: 0x04 } as const;
/** RFC 4861 §4.4. */
export const NaFlag = { router: 0x80, solicited: 0x40, override: 0x20 } as const;

export interface RouterSolicit {
  readonly kind: 'router-solicit';
  readonly options: readonly NdOption[];
}

export interface RouterAdvert {
  readonly kind: 'router-advert';
  /** 0: unspecified. */
  readonly curHopLimit: number;
  /** See RaFlag. */
  readonly flags: number;
  /** 0: not a default router. */
  readonly lifetimeSec: number;
  readonly reachableMs: number;
  readonly retransMs: number;
  readonly options: readonly NdOption[];
}

export interface NeighborSolicit {
  readonly kind: 'neighbor-solicit';
  readonly target: Uint8Array;
  readonly options: readonly NdOption[];
}

export interface NeighborAdvert {
  readonly kind: 'neighbor-advert';
  /** See NaFlag. */
  readonly flags: number;
  readonly target: Uint8Array;
  readonly options: readonly NdOption[];
}

export interface Redirect {
  readonly kind: 'redirect';
  readonly target: Uint8Array;
  readonly destination: Uint8Array;
  readonly options: readonly NdOption[];
}

/** A neighbour discovery message, RFC 4861 §4. Addresses and options are views; reserved bits are not told. */
export type NdMessage = RouterSolicit | RouterAdvert | NeighborSolicit | NeighborAdvert | Redirect;

/** Bytes from the ICMPv6 type to the options, by type. */
export const ND_FIXED_BYTES: Readonly<Record<number, number>> = {
  [Icmp6Type.routerSolicit]: 8,
  [Icmp6Type.routerAdvert]: 16,
  [Icmp6Type.neighborSolicit]: 24,
  [Icmp6Type.neighborAdvert]: 24,
  [Icmp6Type.redirect]: 40,
};

/** Code and checksum are the caller's to check. */
export function decodeNd({ type, body }: Pick<Icmp6Message, 'type' | 'body'>): Decoded<NdMessage> {
  const r = new Reader(body);
  switch (type) {
    case Icmp6Type.routerSolicit:
      return routerSolicit(r);
    case Icmp6Type.routerAdvert:
      return routerAdvert(r);
    case Icmp6Type.neighborSolicit:
      return neighborSolicit(r);
    case Icmp6Type.neighborAdvert:
      return neighborAdvert(r);
    case Icmp6Type.redirect:
      return redirect(r);
    default:
      return undecoded('type');
  }
}

function routerSolicit(r: Reader): Decoded<RouterSolicit> {
  r.skip(4); // reserved
  const options = readOptions(r);
  return r.finish(() => ({ kind: 'router-solicit', options }));
}

function routerAdvert(r: Reader): Decoded<RouterAdvert> {
  const curHopLimit = r.u8();
  const flags = r.u8();
  const lifetimeSec = r.u16be();
  const reachableMs = r.u32be();
  const retransMs = r.u32be();
  const options = readOptions(r);
  return r.finish(() => ({
    kind: 'router-advert',
    curHopLimit,
    flags,
    lifetimeSec,
    reachableMs,
    retransMs,
    options,
  }));
}

function neighborSolicit(r: Reader): Decoded<NeighborSolicit> {
  r.skip(4); // reserved
  const target = r.bytes(IPV6_LENGTH);
  const options = readOptions(r);
  return r.finish(() => ({ kind: 'neighbor-solicit', target, options }));
}

function neighborAdvert(r: Reader): Decoded<NeighborAdvert> {
  const flags = r.u8();
  r.skip(3); // reserved
  const target = r.bytes(IPV6_LENGTH);
  const options = readOptions(r);
  return r.finish(() => ({ kind: 'neighbor-advert', flags, target, options }));
}

function redirect(r: Reader): Decoded<Redirect> {
  r.skip(4); // reserved
  const target = r.bytes(IPV6_LENGTH);
  const destination = r.bytes(IPV6_LENGTH);
  const options = readOptions(r);
  return r.finish(() => ({ kind: 'redirect', target, destination, options }));
}

function readOptions(r: Reader): readonly NdOption[] {
  const options = decodeNdOptions(r.rest());
  if (options.ok) return options.value;
  r.fail(options.fault);
  return [];
}

/** What goes into an ICMPv6 message, for `encodeIcmp6`. */
export function encodeNd(message: NdMessage): Omit<Icmp6Message, 'checksum'> {
  const w = new Writer();
  const type = writeFixed(w, message);
  return { type, code: 0, body: w.bytes(encodeNdOptions(message.options)).finish() };
}

/** Returns the ICMPv6 type. */
function writeFixed(w: Writer, message: NdMessage): number {
  switch (message.kind) {
    case 'router-solicit':
      w.zeros(4);
      return Icmp6Type.routerSolicit;
    case 'router-advert':
      w.u8(message.curHopLimit).u8(message.flags).u16be(message.lifetimeSec);
      w.u32be(message.reachableMs).u32be(message.retransMs);
      return Icmp6Type.routerAdvert;
    case 'neighbor-solicit':
      w.zeros(4).bytes(message.target);
      return Icmp6Type.neighborSolicit;
    case 'neighbor-advert':
      w.u8(message.flags).zeros(3).bytes(message.target);
      return Icmp6Type.neighborAdvert;
    case 'redirect':
      w.zeros(4).bytes(message.target).bytes(message.destination);
      return Icmp6Type.redirect;
  }
}
