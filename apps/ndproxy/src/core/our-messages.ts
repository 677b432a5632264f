import {
  ALL_NODES,
  ALL_ROUTERS,
  isUnspecified,
  linkAddressOption,
  multicastMac,
  NaFlag,
  ndFrame,
  solicitedNodeOf,
} from '@pp/wire';
import type { MemberLink } from './member';
import type { NdPacket } from './packet';

/** A solicitation in our own name: to the target's group, or straight to it where its Ethernet address is known. */
export function solicitation(
  { mac }: MemberLink,
  linkLocal: Uint8Array,
  target: Uint8Array,
  targetMac: Uint8Array | null,
): Uint8Array {
  const destination = targetMac === null ? solicitedNodeOf(target) : target;
  const destinationMac = targetMac ?? multicastMac(destination);
  return ndFrame(
    { sourceMac: mac, destinationMac, source: linkLocal, destination },
    { kind: 'neighbor-solicit', target, options: [linkAddressOption('source', mac)] },
  );
}

/** Asks the routers of the upstream to advertise. Without an address of our own there is no link-layer option, RFC 4861 §4.1. */
export function routerSolicitation(
  { mac, isPointToPoint = false }: MemberLink,
  linkLocal: Uint8Array | null,
): Uint8Array {
  return ndFrame(
    {
      sourceMac: mac,
      destinationMac: multicastMac(ALL_ROUTERS),
      source: linkLocal ?? new Uint8Array(16),
      destination: ALL_ROUTERS,
    },
    {
      kind: 'router-solicit',
      options: linkLocal === null || isPointToPoint ? [] : [linkAddressOption('source', mac)],
    },
  );
}

/** The way to the target is through us, for all nodes of the segment. `flags`: R and O. */
export function announcement({ mac }: MemberLink, target: Uint8Array, flags: number): Uint8Array {
  return ndFrame(
    { sourceMac: mac, destinationMac: multicastMac(ALL_NODES), source: target, destination: ALL_NODES },
    { kind: 'neighbor-advert', flags, target, options: [linkAddressOption('target', mac)] },
  );
}

/**
 * This host has the target of the solicitation on another interface, or stands for it: the asker is told so, or warned off in its
 * duplicate check (RFC 4862 §5.4.4). `flags`: R, and O for an address of our own.
 */
export function defence({ mac }: MemberLink, asked: NdPacket, flags: number): Uint8Array {
  const { target } = asked;
  const isDuplicateCheck = isUnspecified(asked.source);
  const destination = isDuplicateCheck ? ALL_NODES : asked.source;
  return ndFrame(
    {
      sourceMac: mac,
      destinationMac: isDuplicateCheck ? multicastMac(ALL_NODES) : asked.senderMac,
      source: target,
      destination,
    },
    {
      kind: 'neighbor-advert',
      flags: flags | (isDuplicateCheck ? 0 : NaFlag.solicited),
      target,
      options: [linkAddressOption('target', mac)],
    },
  );
}
