import {
  ALL_NODES,
  ALL_ROUTERS,
  isUnspecified,
  linkAddressOption,
  multicastMac,
  NaFlag,
  ndFrame,
  NdOptionType,
  option,
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

/** Of the addresses that RFC 2526 reserves, the last: no node has it. */
const NOBODY = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0xfd, ...new Array<number>(7).fill(0xff));

/** A solicitation that nobody answers, and other proxies pass on as any other; by the nonce we know it again. */
export function detourQuestion({ mac }: MemberLink, linkLocal: Uint8Array, nonce: Uint8Array): Uint8Array {
  const destination = solicitedNodeOf(NOBODY);
  return ndFrame(
    { sourceMac: mac, destinationMac: multicastMac(destination), source: linkLocal, destination },
    {
      kind: 'neighbor-solicit',
      target: NOBODY,
      options: [linkAddressOption('source', mac), option(NdOptionType.nonce, nonce)],
    },
  );
}
