import { withIcmp6Checksum } from '../icmp6';
import { RaFlag } from './messages';
import { isLinkAddressOption, LINK_OPTION_BYTES, NdOptionType, PioFlag, type NdOption } from './options';

/** What a proxy changes in a message. All else stays bit for bit: codes, reserved bits, unknown options. */
export interface NdRewrite {
  /** Takes the place of the address in every link-layer address option. 'remove': those options go. */
  readonly linkAddress: Uint8Array | 'remove';
  /** Router advertisements only: RFC 4389 §4.1.3.3, set P. */
  readonly setProxyFlag?: boolean;
  /** Router advertisements only: these flags (see RaFlag) are 0. */
  readonly clearFlags?: number;
  /** Router advertisements only: no prefix is on-link (L), and none is for delegation (P of RFC 9762). */
  readonly clearOnLink?: boolean;
  /** Router advertisements only: an MTU option says at most this. */
  readonly maxMtu?: number;
  /** Router advertisements only: takes the place of the router lifetime. */
  readonly lifetimeSec?: number;
  /** What else becomes of an option; null: it is left out. May not be longer than it was. */
  readonly option?: (option: NdOption) => NdOption | null;
}

/**
 * A copy of an ICMPv6 message with the changes, and with a new checksum if anything changed, so that a signed message that needs no
 * change stays valid (RFC 3971). `fixedBytes`: up to the options; `options`: as decoded from it, views.
 */
export function rewriteNd(
  message: Uint8Array,
  parts: { readonly fixedBytes: number; readonly options: readonly NdOption[] },
  rewrite: NdRewrite,
  route: { readonly source: Uint8Array; readonly destination: Uint8Array },
): Uint8Array {
  const copy = message.slice();
  rewriteHeader(copy, rewrite);
  let at = parts.fixedBytes;
  for (const option of parts.options) {
    const kept = keptOption(option, rewrite);
    if (kept === null) continue;
    copy.set(kept.bytes, at);
    const placed = copy.subarray(at, at + kept.bytes.length);
    rewriteOption(placed, rewrite);
    at += placed.length;
  }
  const result = copy.subarray(0, at);
  return isSame(result, message) ? result : withIcmp6Checksum(result, route.source, route.destination);
}

function rewriteHeader(message: Uint8Array, { setProxyFlag, clearFlags = 0, lifetimeSec }: NdRewrite): void {
  if (clearFlags !== 0) message[5] = (message[5] ?? 0) & ~clearFlags;
  if (setProxyFlag === true) message[5] = (message[5] ?? 0) | RaFlag.proxy;
  if (lifetimeSec === undefined) return;
  message[6] = lifetimeSec >>> 8;
  message[7] = lifetimeSec;
}

function keptOption(option: NdOption, { linkAddress, option: change }: NdRewrite): NdOption | null {
  if (linkAddress === 'remove' && isLinkAddressOption(option)) return null;
  return change === undefined ? option : change(option);
}

function rewriteOption(bytes: Uint8Array, { linkAddress, clearOnLink, maxMtu }: NdRewrite): void {
  switch (bytes[0] ?? 0) {
    case NdOptionType.sourceLinkAddress:
    case NdOptionType.targetLinkAddress:
      if (linkAddress !== 'remove' && bytes.length === LINK_OPTION_BYTES) bytes.set(linkAddress, 2);
      return;
    case NdOptionType.prefixInformation:
      if (clearOnLink === true) bytes[3] = (bytes[3] ?? 0) & ~(PioFlag.onLink | PioFlag.pdPreferred);
      return;
    case NdOptionType.mtu:
      if (maxMtu !== undefined && bytes.length === 8) clampMtu(bytes, maxMtu);
      return;
  }
}

/** Only down; the MTU is the option's last four bytes. */
function clampMtu(bytes: Uint8Array, max: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(4) > max) view.setUint32(4, max);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
