import {
  IPV6_LENGTH,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isSolicitedNode,
  isUnspecified,
  NaFlag,
  NdOptionType,
} from '@pp/wire';
import type { DropReason } from './drop-reason';
import { DESTINATION_AT, REDIRECTED_AT, SOURCE_AT, TARGET_AT, type NdPacket } from './packet';

/** What makes a well-formed message invalid by the rules of its type, or null. */
export function messageFault(packet: NdPacket): DropReason | null {
  switch (packet.kind) {
    case 'router-solicit':
      return isUnspecified(packet.frame, SOURCE_AT) && hasSourceLink(packet) ? 'rs-option' : null;
    case 'router-advert':
      return isLinkLocal(packet.frame, SOURCE_AT) ? null : 'ra-source';
    case 'neighbor-solicit':
      return solicitFault(packet);
    case 'neighbor-advert':
      return advertFault(packet);
    case 'redirect':
      return redirectFault(packet);
  }
}

const hasSourceLink = (packet: NdPacket): boolean => packet.optionAt(NdOptionType.sourceLinkAddress) >= 0;

/** RFC 4861 §7.1.1 */
function solicitFault(packet: NdPacket): DropReason | null {
  const { frame } = packet;
  if (isMulticast(frame, TARGET_AT)) return 'ns-target-multicast';
  if (isUnspecified(frame, TARGET_AT) || isLoopback(frame, TARGET_AT)) return 'ns-target';
  const toGroup = isSolicitedNode(frame, DESTINATION_AT);
  if (isUnspecified(frame, SOURCE_AT)) {
    if (!toGroup) return 'ns-dad-destination';
    if (hasSourceLink(packet)) return 'ns-dad-option';
  }
  return toGroup && !isSame(frame, DESTINATION_AT + GROUP_BYTES, TARGET_AT + GROUP_BYTES, 3)
    ? 'ns-group'
    : null;
}

/** Of a solicited-node group; the last 24 bits are those of its addresses. */
const GROUP_BYTES = 13;

/** RFC 4861 §7.1.2 */
function advertFault({ frame, naFlags }: NdPacket): DropReason | null {
  if (isMulticast(frame, TARGET_AT)) return 'na-target-multicast';
  const isSolicited = (naFlags & NaFlag.solicited) !== 0;
  return isSolicited && isMulticast(frame, DESTINATION_AT) ? 'na-solicited' : null;
}

/** RFC 4861 §8.1. A target outside all prefixes is allowed. */
function redirectFault({ frame }: NdPacket): DropReason | null {
  if (!isLinkLocal(frame, SOURCE_AT)) return 'redirect-source';
  if (isMulticast(frame, REDIRECTED_AT)) return 'redirect-destination';
  return isLinkLocal(frame, TARGET_AT) || isSame(frame, TARGET_AT, REDIRECTED_AT, IPV6_LENGTH)
    ? null
    : 'redirect-target';
}

function isSame(frame: Uint8Array, a: number, b: number, bytes: number): boolean {
  for (let i = 0; i < bytes; i++) if (frame[a + i] !== frame[b + i]) return false;
  return true;
}
