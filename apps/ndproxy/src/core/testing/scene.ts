import { millis, seconds, type Millis } from '@pp/base';
import type { FrameFacts } from '@pp/ports';
import {
  decodeEthernet,
  decodeIpv6,
  Icmp6Type,
  ipv6FromBytes,
  ipv6ToBytes,
  linkAddressOption,
  macFromBytes,
  multicastMac,
  NaFlag,
  ndFrame,
  NdOptionType,
  option,
  parseIpv6,
  prefixInformation,
  isMulticast,
  solicitedNodeOf,
  VIRTIO_NET_HEADER,
  type NdMessage,
  type NdOption,
  type RouterAdvert,
} from '@pp/wire';
import { hex } from '@pp/wire/testing';
import type { Action, Verdict } from '../action';
import type { Counters } from '../counters';
import { describe } from '../describe';
import type { DropReason } from '../drop-reason';
import { Group } from '../group';
import type { GroupSettings } from '../group-state';
import { ALL_OFF, LIMITS, type Limits, type LoopPolicy, type Mode, type Switches } from '../limits';
import type { MemberLink } from '../member';
import { NO_POLICY, type Policy } from '../policy';
import type { OwnAddress } from '../own-addresses';
import { admit, CHECKED_BEFORE } from '../admit';

export const ip = (text: string): Uint8Array => {
  const address = parseIpv6(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return ipv6ToBytes(address);
};

/** A node somewhere: its Ethernet address ends in `n`. */
export const mac = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, n);
/** Our own on interface n. */
export const ourMac = (ifindex: number): Uint8Array => Uint8Array.of(2, 0xaa, 0, 0, 0, ifindex);

export const UP = 1;
export const DOWN = 2;
export const DOWN2 = 3;
const NAMES: Readonly<Record<number, string>> = { [UP]: 'up', [DOWN]: 'down', [DOWN2]: 'down2' };

export const ROUTER = ip('fe80::1');
export const GUEST = ip('2001:db8::2');
export const GUEST_LL = ip('fe80::2');
export const NEIGHBOR = ip('2001:db8::9');

export const link = (ifindex: number, over: Partial<MemberLink> = {}): MemberLink => ({
  ifindex,
  ifname: NAMES[ifindex] ?? `if${ifindex}`,
  role: ifindex === UP ? 'upstream' : 'downstream',
  mac: ourMac(ifindex),
  mtu: 1500,
  ...over,
});

export const OWN_ADDRESSES: readonly OwnAddress[] = [
  { ifindex: UP, address: ip('fe80::a:1'), usable: true },
  { ifindex: UP, address: ip('2001:db8::a'), usable: true },
  { ifindex: DOWN, address: ip('fe80::a:2'), usable: true },
  { ifindex: DOWN2, address: ip('fe80::a:3'), usable: true },
];

/** Instead of random bytes: first all `first`, then all one more, and so on. */
export const drawsFrom =
  (first: number): GroupSettings['randomBytes'] =>
  (n) =>
    new Uint8Array(n).fill(first++);

export interface SceneOptions {
  readonly mode?: Mode;
  readonly loopPolicy?: LoopPolicy;
  readonly limits?: Partial<Limits>;
  readonly switches?: Partial<Switches>;
  readonly policy?: Partial<Policy>;
  readonly links?: readonly MemberLink[];
  /** False: gates are as they are at the start. */
  readonly open?: boolean;
}

/** A group with an upstream and two downstreams, and what it does, as text. */
export class Scene {
  readonly group: Group;
  now: Millis = millis(0);
  /** Sends, moves and messages since they were last taken. */
  readonly #log: string[] = [];
  verdict: Verdict | null = null;

  constructor({ mode = 'route', loopPolicy = 'guard', open = true, links, ...more }: SceneOptions = {}) {
    const limits = { ...LIMITS, ...more.limits };
    const switches = { ...ALL_OFF, ...more.switches };
    const policy = { ...NO_POLICY, ...more.policy };
    const randomBytes = drawsFrom(1); // a member's mark is its ifindex, six times
    const settings = { name: 'test', mode, loopPolicy, switches, policy, limits, randomBytes };
    this.group = new Group(settings, this.now);
    this.update(links ?? [link(UP), link(DOWN), link(DOWN2)]);
    if (!open) return;
    this.pass(13);
    this.taken();
  }

  update(links: readonly MemberLink[], addresses = OWN_ADDRESSES): void {
    this.#keep(this.group.update(links, addresses, this.now));
  }

  /** Time goes on, and what is due is done when it is due. */
  pass(secs: number): void {
    const end = this.now + seconds(secs);
    for (let due = this.group.nextDue(); due <= end; due = this.group.nextDue()) {
      this.now = millis(Math.max(due, this.now));
      this.#keep(this.group.tick(this.now));
    }
    this.now = millis(end);
  }

  receive(ifindex: number, frame: Uint8Array, facts: Partial<FrameFacts> = {}): void {
    const before = frame.slice();
    const all = { ...CHECKED_BEFORE, checksumReady: true, ...facts };
    const { verdict, actions } = this.group.step(ifindex, frame, all, this.now);
    this.verdict = verdict;
    this.#keep(actions);
    if (!before.every((byte, i) => byte === frame[i])) throw new Error('a borrowed frame was changed');
  }

  /** Data of bridge mode; `frame` without its virtio_net_hdr, which is all zero unless given. */
  carry(ifindex: number, frame: Uint8Array, facts: Partial<FrameFacts> = {}, offload = NO_OFFLOAD): void {
    const { counters } = this.group.state;
    const before = JSON.stringify(counters.dropped);
    const had = { forwarded: counters.forwarded, local: counters.local };
    const all = { ...CHECKED_BEFORE, checksumReady: true, ...facts };
    const whole = Uint8Array.of(...offload, ...frame);
    this.#keep(this.group.stepData(ifindex, whole, all, this.now));
    if (counters.forwarded > had.forwarded) this.verdict = { is: 'forwarded' };
    else if (counters.local > had.local) this.verdict = { is: 'local' };
    else this.verdict = newDrop(before, counters.dropped) ?? { is: 'queued' };
  }

  /** "forwarded", "local", "queued", or the reason of the drop. */
  get outcome(): string {
    if (this.verdict === null) return 'nothing';
    return this.verdict.is === 'dropped' ? this.verdict.reason : this.verdict.is;
  }

  taken(): readonly string[] {
    return this.#log.splice(0);
  }

  #keep(actions: readonly Action[]): void {
    for (const action of actions) this.#log.push(actionText(action));
  }
}

export const NO_OFFLOAD = new Uint8Array(VIRTIO_NET_HEADER);

/** The reason whose counter went up. */
function newDrop(before: string, after: Counters['dropped']): Verdict | null {
  const had = JSON.parse(before) as Counters['dropped'];
  const reason = (Object.keys(after) as DropReason[]).find((each) => after[each] !== had[each]);
  return reason === undefined ? null : { is: 'dropped', reason };
}

function actionText(action: Action): string {
  switch (action.do) {
    case 'send':
      return `${NAMES[action.ifindex] ?? action.ifindex}: ${frameText(action.frame)}`;
    case 'carry':
      return `${NAMES[action.ifindex] ?? action.ifindex}: ${dataText(action.frame.subarray(VIRTIO_NET_HEADER))}`;
    case 'move':
      return `${action.move.to} ${describeAddress(action.move.address)} ${NAMES[action.move.ifindex] ?? ''}`;
    case 'tell':
      return action.event;
  }
}

const describeAddress = (address: Uint8Array): string => {
  const target = { kind: 'neighbor-solicit', target: address, options: [] } as const;
  return describe({ source: address, destination: address, message: target }).split(' for ')[1] ?? '';
};

const ICMP_TYPE_AT = 54;

/** Ethernet addresses and message; anything that the checks of a receiver would drop is an error. */
export function frameText(frame: Uint8Array): string {
  if (frame[ICMP_TYPE_AT] === Icmp6Type.packetTooBig) return dataText(frame);
  const admitted = admit(frame, { ...CHECKED_BEFORE, checksumReady: true });
  if (!admitted.ok) throw new Error(`sent a bad frame: ${admitted.reason}`);
  const { sourceMac, destinationMac } = admitted.packet;
  return `${shortMac(sourceMac)}>${shortMac(destinationMac)} ${describe(admitted.packet)}`;
}

/** Ethernet addresses, and the packet as it is. */
export function dataText(frame: Uint8Array): string {
  const ethernet = decodeEthernet(frame);
  const ip = ethernet.ok ? decodeIpv6(ethernet.value.payload) : ethernet;
  if (!ethernet.ok || !ip.ok) throw new Error('sent a bad frame');
  const { source, destination, nextHeader, hopLimit, payload } = ip.value;
  const addresses = `${ipv6FromBytes(source)} > ${ipv6FromBytes(destination)}`;
  const macs = `${shortMac(ethernet.value.source)}>${shortMac(ethernet.value.destination)}`;
  return `${macs} ${addresses} next=${nextHeader} hops=${hopLimit} ${payload.length} bytes`;
}

/** "02", "aa:02" for ours, "33:...": without the zeros between. */
const shortMac = (bytes: Uint8Array): string =>
  macFromBytes(bytes)
    .replace(/^02:aa:00:00:00:/, 'aa:')
    .replace(/^02:00:00:00:00:/, '')
    .replace(/^33:33:/, '33:');

// Messages of nodes, with what they have by default.

interface From {
  readonly mac: number;
  readonly source: Uint8Array;
}

const send = (
  from: From,
  destination: Uint8Array,
  destinationMac: Uint8Array,
  message: NdMessage,
): Uint8Array =>
  ndFrame({ sourceMac: mac(from.mac), destinationMac, source: from.source, destination }, message);

const slla = (from: From): readonly NdOption[] => [linkAddressOption('source', mac(from.mac))];

/** "Who has target?", to its group. */
export function solicit(
  from: From,
  target: Uint8Array,
  options: readonly NdOption[] = slla(from),
): Uint8Array {
  const group = solicitedNodeOf(target);
  return send(from, group, multicastMac(group), { kind: 'neighbor-solicit', target, options });
}

/** "Are you still there?", to us as its next hop. */
export const probe = (from: From, target: Uint8Array, via: number): Uint8Array =>
  send(from, target, ourMac(via), { kind: 'neighbor-solicit', target, options: slla(from) });

/** A check for duplicates; `nonce` null: none, as before RFC 7527. */
export const duplicateCheck = (
  n: number,
  target: Uint8Array,
  nonce: string | null = '0102030405aa',
): Uint8Array =>
  solicit(
    { mac: n, source: ip('::') },
    target,
    nonce === null ? [] : [option(NdOptionType.nonce, hex(nonce))],
  );

export interface AdvertOptions {
  readonly flags?: number;
  readonly options?: readonly NdOption[];
  /** By default the sender's own. */
  readonly target?: Uint8Array;
}

/** "I have it", to the asker by way of us, or to a group. */
export function advertise(
  from: From,
  to: Uint8Array,
  via: number,
  { flags = NaFlag.solicited | NaFlag.override, options, target = from.source }: AdvertOptions = {},
): Uint8Array {
  const destinationMac = isMulticast(to) ? multicastMac(to) : ourMac(via);
  return send(from, to, destinationMac, {
    kind: 'neighbor-advert',
    flags,
    target,
    options: options ?? [linkAddressOption('target', mac(from.mac))],
  });
}

export const PREFIX = prefixInformation({
  prefixLength: 64,
  flags: 0xc0,
  validSec: 3600,
  preferredSec: 1800,
  prefix: ip('2001:db8::'),
});

export function routerAdvert(
  over: Partial<RouterAdvert> = {},
  to = ip('ff02::1'),
  source = ROUTER,
): Uint8Array {
  const message: RouterAdvert = {
    kind: 'router-advert',
    curHopLimit: 64,
    flags: 0,
    lifetimeSec: 1800,
    reachableMs: 0,
    retransMs: 0,
    options: [PREFIX, linkAddressOption('source', mac(1))],
    ...over,
  };
  const destinationMac = isMulticast(to) ? multicastMac(to) : ourMac(UP);
  return send({ mac: 1, source }, to, destinationMac, message);
}

export const routerSolicit = (from: From, options: readonly NdOption[] = slla(from)): Uint8Array =>
  send(from, ip('ff02::2'), multicastMac(ip('ff02::2')), { kind: 'router-solicit', options });

export const redirect = (
  to: Uint8Array,
  about: { readonly target: Uint8Array; readonly destination: Uint8Array },
  options: readonly NdOption[] = [linkAddressOption('target', mac(9))],
): Uint8Array => send({ mac: 1, source: ROUTER }, to, ourMac(UP), { kind: 'redirect', ...about, options });
