import type { Millis } from '@pp/base';
import type { FrameFacts } from '@pp/ports';
import {
  ETHERNET_HEADER,
  ETHERTYPE_IPV6,
  Icmp6Type,
  isMulticast,
  isUnspecified,
  multicastMac,
  NextHeader,
  VIRTIO_NET_HEADER,
} from '@pp/wire';
import { dropped, FORWARDED, LOCAL, type Verdict } from './action';
import { admitData, type DataPacket } from './data-packet';
import type { GroupState } from './group-state';
import { macNumber } from './keys';
import type { Member } from './member';
import { waitForOwner } from './pass-on';
import { tooBigFrame } from './too-big';
import { newBytes } from './translate';
import { leadsBack, wayTo } from './way-to';
import { hasPacketLooped } from './ways-round';

/**
 * Carries a packet to the segment of its destination, or to all others: all of it as it came, hop limit and all (RFC 4389 §4.1), in a new
 * Ethernet header. `frame` begins with its virtio_net_hdr, as do the frames that are made.
 */
export function bridgeFrame(
  state: GroupState,
  frame: Uint8Array,
  facts: Pick<FrameFacts, 'truncated' | 'vlan'>,
  from: Member,
  now: Millis,
): Verdict {
  const admitted = admitData(frame, facts);
  if (!admitted.ok) return dropped(admitted.reason);
  const { data } = admitted;
  if (state.isDisabled(now) || from.isDisabled(now)) return dropped('loop-disabled');
  const sender = macNumber(data.sourceMac);
  if (state.ownMacs.has(sender)) return dropped('own-mac');
  if (state.isOwn(data.source)) return dropped('own-source');
  if (hasPacketLooped(state, data, sender, from, now)) return dropped('looped');
  learnSource(state, data, sender, from, now);
  if (state.isOwn(data.destination)) return LOCAL;
  if (!from.isOpen(now)) return dropped('gate-closed');
  if (!isMulticast(data.destination)) return carry(state, frame, data, from, now);
  return isRelayedElsewhere(state, data) ? dropped('relayed-elsewhere') : flood(state, data, from, now);
}

/** Known and heard a moment ago: the table need not be told of every packet. */
const FRESH = 1000;

function learnSource(
  state: GroupState,
  data: DataPacket,
  sender: number,
  { link }: Member,
  now: Millis,
): void {
  const { source: address, sourceMac: mac } = data;
  const known = state.table.get(address);
  const isHere = known?.ifindex === link.ifindex && known.mac !== null && macNumber(known.mac) === sender;
  if (isHere && now - known.heardAt < FRESH) return;
  if (known === undefined && !state.routers.isOnLink(address, now)) return; // a router brought it
  state.learn({ address, ifindex: link.ifindex, mac, certainty: 'used', override: false }, now);
}

function carry(state: GroupState, frame: Uint8Array, data: DataPacket, from: Member, now: Millis): Verdict {
  const nextHop = nextHopOf(state, data.destination, from, now);
  const { ifindex, mac = null } = wayTo(state, nextHop, from, now) ?? { ifindex: 0 };
  const exit = state.members.get(ifindex);
  if (exit === undefined || mac === null)
    return waitForOwner(state, { of: 'data', frame, ifindex: from.link.ifindex }, nextHop, from, now);
  if (exit === from) return leadsBack(state, mac, now);
  if (!exit.isOpen(now)) return dropped(exit.isDisabled(now) ? 'loop-disabled' : 'gate-closed');
  if (data.wireBytes > exit.link.mtu) return refuseTooBig(state, data, from, exit, now);
  send(state, data, exit, mac);
  return FORWARDED;
}

/** The destination, or for one that is on no segment the default router: its Ethernet address is ours to the sender. */
function nextHopOf(state: GroupState, destination: Uint8Array, from: Member, now: Millis): Uint8Array {
  if (from.link.role === 'upstream' || state.table.get(destination) !== undefined) return destination;
  if (state.routers.isOnLink(destination, now)) return destination;
  return state.routers.best(now)?.address ?? destination;
}

function flood(state: GroupState, data: DataPacket, from: Member, now: Millis): Verdict {
  let outcome: Verdict = dropped('no-exit');
  const mac = multicastMac(data.destination);
  for (const exit of state.members.values()) {
    if (exit === from || !exit.isOpen(now)) continue;
    if (data.wireBytes > exit.link.mtu) {
      const tooBig = refuseTooBig(state, data, from, exit, now);
      if (outcome !== FORWARDED) outcome = tooBig;
      continue;
    }
    send(state, data, exit, mac);
    outcome = FORWARDED;
  }
  return outcome;
}

function send(state: GroupState, data: DataPacket, exit: Member, destinationMac: Uint8Array): void {
  const { allocate = newBytes } = state.settings;
  const frame = allocate(VIRTIO_NET_HEADER + ETHERNET_HEADER + data.packet.length);
  frame.set(data.offload);
  frame.set(destinationMac, VIRTIO_NET_HEADER);
  frame.set(exit.link.mac, VIRTIO_NET_HEADER + 6);
  frame[VIRTIO_NET_HEADER + 12] = ETHERTYPE_IPV6 >>> 8;
  frame[VIRTIO_NET_HEADER + 13] = ETHERTYPE_IPV6 & 0xff;
  frame.set(data.packet, VIRTIO_NET_HEADER + ETHERNET_HEADER);
  state.carry(exit, frame);
}

/** RFC 4389 §4.1.1, and RFC 4443 §2.4 (e) for what must not be answered. */
function refuseTooBig(
  state: GroupState,
  data: DataPacket,
  from: Member,
  { link: { mtu } }: Member,
  now: Millis,
): Verdict {
  const { protocol, payload } = data.upper;
  const isError = protocol === NextHeader.icmp6 && (payload[0] ?? 0) < Icmp6Type.echoRequest;
  const source = state.errorSource(from);
  if (source !== null && !isError && !isUnspecified(data.source) && state.errors.take(now))
    state.originate(from, tooBigFrame(data, { mac: from.link.mac, source, mtu }));
  return dropped('too-big');
}

const UDP = 17;
/** mDNS (RFC 6762 §3) and SSDP (UPnP Device Architecture 2.0, annex A). */
const DISCOVERY_PORTS: readonly number[] = [5353, 1900];

/** Another service relays these between the same segments: one copy is enough. */
function isRelayedElsewhere({ leavesDiscovery }: GroupState, { upper }: DataPacket): boolean {
  const port = ((upper.payload[2] ?? 0) << 8) | (upper.payload[3] ?? 0);
  return leavesDiscovery && upper.protocol === UDP && DISCOVERY_PORTS.includes(port);
}
