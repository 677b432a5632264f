import {
  findOption,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isSolicitedNode,
  isUnspecified,
  NaFlag,
  NdOptionType,
  type NdMessage,
  type NeighborAdvert,
  type NeighborSolicit,
  type Redirect,
} from '@pp/wire';
import type { DropReason } from './drop-reason';

interface Sent<M> {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly message: M;
}

/** What makes a well-formed message invalid by the rules of its type, or null. */
export function messageFault({ source, destination, message }: Sent<NdMessage>): DropReason | null {
  switch (message.kind) {
    case 'router-solicit':
      return isUnspecified(source) && hasSourceLink(message) ? 'rs-option' : null;
    case 'router-advert':
      return isLinkLocal(source) ? null : 'ra-source';
    case 'neighbor-solicit':
      return solicitFault({ source, destination, message });
    case 'neighbor-advert':
      return advertFault({ source, destination, message });
    case 'redirect':
      return redirectFault({ source, destination, message });
  }
}

const hasSourceLink = ({ options }: NdMessage): boolean =>
  findOption(options, NdOptionType.sourceLinkAddress) !== undefined;

/** RFC 4861 §7.1.1 */
function solicitFault({ source, destination, message }: Sent<NeighborSolicit>): DropReason | null {
  const { target } = message;
  if (isMulticast(target)) return 'ns-target-multicast';
  if (isUnspecified(target) || isLoopback(target)) return 'ns-target';
  const toGroup = isSolicitedNode(destination);
  if (isUnspecified(source)) {
    if (!toGroup) return 'ns-dad-destination';
    if (hasSourceLink(message)) return 'ns-dad-option';
  }
  return toGroup && !endsAlike(destination, target) ? 'ns-group' : null;
}

/** The last 24 bits, which a solicited-node group has of its addresses. */
function endsAlike(a: Uint8Array, b: Uint8Array): boolean {
  return a[13] === b[13] && a[14] === b[14] && a[15] === b[15];
}

/** RFC 4861 §7.1.2 */
function advertFault({ destination, message }: Sent<NeighborAdvert>): DropReason | null {
  if (isMulticast(message.target)) return 'na-target-multicast';
  const solicited = (message.flags & NaFlag.solicited) !== 0;
  return solicited && isMulticast(destination) ? 'na-solicited' : null;
}

/** RFC 4861 §8.1. A target outside all prefixes is allowed. */
function redirectFault({ source, message }: Sent<Redirect>): DropReason | null {
  if (!isLinkLocal(source)) return 'redirect-source';
  if (isMulticast(message.destination)) return 'redirect-destination';
  return isLinkLocal(message.target) || isSame(message.target, message.destination)
    ? null
    : 'redirect-target';
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);
