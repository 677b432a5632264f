import type { FrameFacts } from '@pp/ports';
import {
  encodeEthernet,
  encodeIpv6,
  linkAddressOption,
  NaFlag,
  ND_HOP_LIMIT,
  NdOptionType,
  NextHeader,
  option,
  RaFlag,
  withIcmp6Checksum,
} from '@pp/wire';
import { macNumber } from './keys';
import { DROP_REASONS, type DropReason } from './drop-reason';
import {
  advertise,
  DOWN,
  duplicateCheck,
  GUEST,
  ip,
  link,
  mac,
  NEIGHBOR,
  ourMac,
  probe,
  redirect,
  ROUTER,
  routerAdvert,
  routerSolicit,
  Scene,
  solicit,
  UP,
  type SceneOptions,
} from './testing/scene';

const guest = { mac: 2, source: GUEST };
const neighbor = { mac: 9, source: NEIGHBOR };
const NS = solicit(guest, NEIGHBOR);
/** RFC 3971 §5.2, of no real key. */
const SIGNATURE = option(NdOptionType.rsaSignature, new Uint8Array(38));

/** `frame` with some bytes changed, and its checksum made right again unless `keepChecksum`. */
function changed(
  frame: Uint8Array,
  bytes: Readonly<Record<number, number>>,
  keepChecksum = false,
): Uint8Array {
  const copy = frame.slice();
  for (const [at, byte] of Object.entries(bytes)) copy[Number(at)] = byte;
  if (!keepChecksum) withIcmp6Checksum(copy.subarray(54), copy.subarray(22, 38), copy.subarray(38, 54));
  return copy;
}

/** The ICMPv6 message cut to `length` bytes, lengths and checksum right. */
function cut(frame: Uint8Array, length: number): Uint8Array {
  const short = changed(frame.subarray(0, 54 + length), {}, true);
  short[18] = length >>> 8;
  short[19] = length;
  return changed(short, {});
}

/** Wrapped in another header between IPv6 and ICMPv6. */
function behind(nextHeader: number, header: Uint8Array): Uint8Array {
  const payload = new Uint8Array(header.length + NS.length - 54);
  payload.set(header);
  payload.set(NS.subarray(54), header.length);
  return encodeEthernet({
    destination: NS.subarray(0, 6),
    source: NS.subarray(6, 12),
    etherType: 0x86dd,
    payload: encodeIpv6({
      trafficClass: 0,
      flowLabel: 0,
      nextHeader,
      hopLimit: ND_HOP_LIMIT,
      source: GUEST,
      destination: NS.subarray(38, 54),
      payload,
    }),
  });
}

interface Row {
  readonly reason: DropReason;
  readonly name: string;
  readonly at?: number;
  readonly frame: Uint8Array;
  readonly facts?: Partial<FrameFacts>;
  readonly options?: SceneOptions;
  readonly before?: (scene: Scene) => void;
}

const ADDRESS_AT = { ethernetDestination: 0, ethernetSource: 6, source: 22, destination: 38, target: 62 };
const put = (at: number, bytes: Uint8Array): Record<number, number> =>
  Object.fromEntries(Array.from(bytes, (byte, i) => [at + i, byte]));

const common: readonly Row[] = [
  { reason: 'truncated', name: 'captured in part', frame: NS, facts: { truncated: true } },
  { reason: 'vlan', name: 'D11 a VLAN tag', frame: NS, facts: { vlan: 7 } },
  { reason: 'not-nd', name: 'another EtherType', frame: changed(NS, { 12: 8, 13: 0 }, true) },
  { reason: 'not-nd', name: 'an echo request', frame: changed(NS, { 54: 128 }) },
  { reason: 'not-nd', name: 'UDP', frame: changed(NS, { 20: 17 }, true) },
  { reason: 'not-nd', name: 'half an Ethernet header', frame: NS.subarray(0, 9) },
  { reason: 'ip-version', name: 'D1 version 4', frame: changed(NS, { 14: 0x40 }, true) },
  { reason: 'ip-length', name: 'D2 payload length beyond the frame', frame: changed(NS, { 18: 0xff }, true) },
  { reason: 'ip-length', name: 'half an IPv6 header', frame: NS.subarray(0, 40) },
  { reason: 'hop-limit', name: 'D3 hop limit 254', frame: changed(NS, { 21: 254 }, true) },
  { reason: 'icmp-code', name: 'D4 code 1', frame: changed(NS, { 55: 1 }) },
  {
    reason: 'checksum',
    name: 'D5 one bit of the checksum',
    frame: changed(NS, { 57: (NS[57] ?? 0) ^ 1 }, true),
  },
  { reason: 'option-zero', name: 'D6 an option of length 0', frame: changed(NS, { 79: 0 }) },
  { reason: 'option-overrun', name: 'D7 an option past the end', frame: changed(NS, { 79: 2 }) },
  {
    reason: 'fragment',
    name: 'D8 a fragment header',
    frame: behind(NextHeader.fragment, Uint8Array.of(58, 0, 0, 0, 0, 0, 0, 0)),
  },
  {
    reason: 'extension-header',
    name: 'destination options',
    frame: behind(NextHeader.destination, Uint8Array.of(58, 0, 1, 4, 0, 0, 0, 0)),
  },
  {
    reason: 'source-address',
    name: 'D9 a multicast source',
    frame: changed(NS, put(ADDRESS_AT.source, ip('ff02::5'))),
  },
  { reason: 'source-address', name: 'D9 source ::1', frame: changed(NS, put(ADDRESS_AT.source, ip('::1'))) },
  {
    reason: 'source-address',
    name: 'D9 an IPv4-mapped source',
    frame: changed(NS, put(ADDRESS_AT.source, ip('::ffff:192.0.2.1'))),
  },
  {
    reason: 'destination-address',
    name: 'D10 destination ::',
    frame: changed(NS, put(ADDRESS_AT.destination, ip('::'))),
  },
  {
    reason: 'destination-address',
    name: 'D10 destination ::1',
    frame: changed(NS, put(ADDRESS_AT.destination, ip('::1'))),
  },
  {
    reason: 'own-mac',
    name: 'D12 our own MAC as source',
    frame: changed(NS, put(ADDRESS_AT.ethernetSource, ourMac(UP)), true),
  },
  {
    reason: 'own-source',
    name: 'D13 our own link-local as source',
    frame: solicit({ mac: 2, source: ip('fe80::a:1') }, NEIGHBOR),
  },
  { reason: 'group-source', name: 'a group MAC as source', frame: changed(NS, { 6: 3 }, true) },
  {
    reason: 'group-frame',
    name: 'D14 unicast in a group frame',
    frame: changed(probe(guest, NEIGHBOR, DOWN), { 0: 0x33 }, true),
  },
  {
    reason: 'link-option',
    name: 'a link-layer address of two units',
    frame: solicit(guest, NEIGHBOR, [option(1, new Uint8Array(14).fill(2))]),
  },
  {
    reason: 'link-option',
    name: 'an all-zero link-layer address',
    frame: solicit(guest, NEIGHBOR, [linkAddressOption('source', new Uint8Array(6))]),
  },
  {
    reason: 'link-option',
    name: 'a group as link-layer address',
    frame: solicit(guest, NEIGHBOR, [linkAddressOption('source', Uint8Array.of(0x33, 0x33, 0, 0, 0, 1))]),
  },
  {
    reason: 'link-option',
    name: 'one where it does not belong',
    frame: solicit(guest, NEIGHBOR, [linkAddressOption('target', new Uint8Array(6))]),
  },
];

const RS = routerSolicit(guest);
const RA = routerAdvert();
const NA = advertise(guest, ip('ff02::1'), DOWN, { flags: NaFlag.override });
const REDIRECT = redirect(GUEST, { target: NEIGHBOR, destination: NEIGHBOR });
const routerKnown = (scene: Scene): void => {
  scene.receive(UP, RA);
};

const byType: readonly Row[] = [
  { reason: 'rs-short', name: 'D20 7 bytes', frame: cut(RS, 7) },
  {
    reason: 'rs-option',
    name: 'D21 from :: with an address',
    frame: routerSolicit({ mac: 2, source: ip('::') }, [linkAddressOption('source', mac(2))]),
  },
  { reason: 'rs-upstream', name: 'D22 on the upstream', at: UP, frame: routerSolicit(neighbor) },
  {
    reason: 'rs-rate',
    name: 'one more than ten in a second',
    frame: RS,
    before: (scene) => {
      for (let i = 0; i < 10; i++) scene.receive(DOWN, RS);
    },
  },
  {
    reason: 'ra-source',
    name: 'D30 from a global address',
    at: UP,
    frame: routerAdvert({}, ip('ff02::1'), NEIGHBOR),
  },
  { reason: 'ra-short', name: 'D31 15 bytes', at: UP, frame: cut(RA, 15) },
  { reason: 'ra-downstream', name: 'D32 on a downstream', frame: RA },
  {
    reason: 'ra-proxied',
    name: 'P set on the upstream',
    at: UP,
    frame: routerAdvert({ flags: RaFlag.proxy }),
  },
  { reason: 'ns-short', name: 'D40 23 bytes', frame: cut(NS, 23) },
  {
    reason: 'ns-target-multicast',
    name: 'D41 a multicast target',
    frame: changed(NS, { [ADDRESS_AT.target]: 0xff }),
  },
  {
    reason: 'ns-dad-destination',
    name: 'D42 from :: to all nodes',
    frame: changed(duplicateCheck(2, GUEST), put(ADDRESS_AT.destination, ip('ff02::1'))),
  },
  {
    reason: 'ns-dad-option',
    name: 'D43 from :: with an address',
    frame: solicit({ mac: 2, source: ip('::') }, GUEST),
  },
  { reason: 'ns-target', name: 'D44 target ::', frame: solicit(guest, ip('::')) },
  { reason: 'ns-target', name: 'D44 target ::1', frame: solicit(guest, ip('::1')) },
  { reason: 'ns-group', name: 'D45 the group of another address', frame: changed(NS, { 53: 0x77 }) },
  { reason: 'na-short', name: 'D50 23 bytes', frame: cut(NA, 23) },
  {
    reason: 'na-target-multicast',
    name: 'D51 a multicast target',
    frame: changed(NA, { [ADDRESS_AT.target]: 0xff }),
  },
  { reason: 'na-solicited', name: 'D52 solicited, to a group', frame: advertise(guest, ip('ff02::1'), DOWN) },
  {
    reason: 'na-own-target',
    name: 'D53 for an address of this host',
    frame: advertise(guest, NEIGHBOR, DOWN, { target: ip('2001:db8::a') }),
  },
  {
    reason: 'redirect-source',
    name: 'D60 from a global address',
    at: UP,
    frame: changed(REDIRECT, put(ADDRESS_AT.source, NEIGHBOR)),
  },
  { reason: 'redirect-short', name: 'D61 39 bytes', at: UP, frame: cut(REDIRECT, 39) },
  {
    reason: 'redirect-destination',
    name: 'D62 for a multicast address',
    at: UP,
    frame: redirect(GUEST, { target: ROUTER, destination: ip('ff0e::1') }),
  },
  {
    reason: 'redirect-target',
    name: 'D63 to a third node',
    at: UP,
    frame: redirect(GUEST, { target: NEIGHBOR, destination: ip('2001:db8:1::1') }),
  },
  { reason: 'redirect-router', name: 'D64 not from a router', at: UP, frame: REDIRECT },
  {
    reason: 'redirect-router',
    name: 'D64 from a router whose lifetime is over',
    at: UP,
    frame: REDIRECT,
    before: (scene) => {
      scene.receive(UP, routerAdvert({ lifetimeSec: 5 }));
      scene.pass(6);
    },
  },
  { reason: 'redirect-downstream', name: 'D65 on a downstream', frame: REDIRECT, before: routerKnown },
];

const byState: readonly Row[] = [
  {
    reason: 'looped',
    name: 'the copy of another proxy',
    at: UP,
    frame: changed(NS, put(6, mac(0x55)), true),
    before: (scene) => {
      scene.receive(DOWN, NS);
    },
  },
  {
    reason: 'loop-disabled',
    name: 'after another proxy was heard',
    frame: NS,
    before: (scene) => {
      scene.receive(UP, routerAdvert({ flags: RaFlag.proxy }));
    },
  },
  {
    reason: 'signed',
    name: 'a solicitation with a link-layer address, where such are dropped',
    frame: solicit(guest, NEIGHBOR, [linkAddressOption('source', mac(2)), SIGNATURE]),
    options: { switches: { dropSigned: true } },
  },
  {
    reason: 'signed',
    name: 'a router advertisement, where such are dropped',
    at: UP,
    frame: routerAdvert({ options: [SIGNATURE] }),
    options: { switches: { dropSigned: true } },
  },
  {
    reason: 'prefix',
    name: 'a target of a prefix that is not proxied',
    frame: NS,
    options: { policy: { notPrefixes: [{ prefix: NEIGHBOR, length: 128 }] } },
  },
  {
    reason: 'dad-ignored',
    name: 'the answer to a duplicate check by who answers all of them',
    at: UP,
    frame: advertise({ mac: 9, source: GUEST }, ip('ff02::1'), UP, { flags: NaFlag.override }),
    options: { policy: { dadIgnore: new Set([macNumber(mac(9))]) } },
    before: (scene) => {
      scene.receive(DOWN, duplicateCheck(2, GUEST));
    },
  },
  { reason: 'gate-closed', name: 'a downstream that is new', frame: NS, options: { open: false } },
  {
    reason: 'same-segment',
    name: 'unicast to a node where it came from',
    frame: probe(guest, NEIGHBOR, DOWN),
    before: (scene) => {
      scene.receive(DOWN, solicit(neighbor, GUEST));
    },
  },
  { reason: 'no-exit', name: 'the only interface', frame: NS, options: { links: [link(DOWN)] } },
  {
    reason: 'too-big',
    name: 'more than the other MTU',
    frame: solicit(guest, NEIGHBOR, [option(200, new Uint8Array(1400))]),
    options: { links: [link(UP, { mtu: 1400 }), link(DOWN)] },
  },
  {
    reason: 'queue-full',
    name: 'a fifth message to one unknown destination',
    frame: probe(guest, NEIGHBOR, DOWN),
    before: (scene) => {
      for (let i = 0; i < 4; i++)
        scene.receive(DOWN, probe({ mac: 2, source: ip(`2001:db8::2${i}`) }, NEIGHBOR, DOWN));
    },
  },
  {
    reason: 'solicit-rate',
    name: 'the 51st unknown destination in a second',
    frame: probe(guest, NEIGHBOR, DOWN),
    before: (scene) => {
      for (let i = 0; i < 50; i++) scene.receive(DOWN, probe(guest, ip(`2001:db8::1:${i}`), DOWN));
    },
  },
];

const rows = [...common, ...byType, ...byState];

test.each(rows)('$reason: $name', ({ reason, at = DOWN, frame, facts = {}, options, before }) => {
  const scene = new Scene(options);
  before?.(scene);
  scene.taken();
  const { counters } = scene.group.state;
  const [had, sent] = [counters.dropped[reason] ?? 0, counters.sent];
  scene.receive(at, frame, facts);
  expect(scene.outcome).toBe(reason);
  expect(counters.dropped[reason]).toBe(had + 1);
  expect(counters.sent).toBe(sent);
});

test('every reason has a row, but those that are told elsewhere', () => {
  const told = new Set<string>(rows.map(({ reason }) => reason));
  expect(Object.keys(DROP_REASONS).filter((reason) => !told.has(reason))).toEqual([
    'unresolved', // group.test.ts
    'relayed-elsewhere', // bridge.test.ts
  ]);
});

/** What must pass although it looks odd, spec/nd-and-relays.md 2.5. */
test.each([
  { name: 'reserved bits', frame: changed(NS, { 58: 0xff, 61: 0xff }) },
  { name: 'unknown options', frame: solicit(guest, NEIGHBOR, [option(253, ip('::'))]) },
  {
    name: 'a target option in a solicitation',
    frame: solicit(guest, NEIGHBOR, [linkAddressOption('target', mac(2))]),
  },
  {
    name: 'a checksum that hardware was to fill in',
    frame: changed(NS, { 57: 0xee }, true),
    facts: { checksumReady: false },
  },
  { name: 'padding behind the packet', frame: Uint8Array.of(...NS, 0, 0, 0, 0) },
  { name: 'a group message in a unicast frame (RFC 6085)', frame: changed(NS, put(0, ourMac(DOWN)), true) },
])('$name is no reason to drop', ({ frame, facts = {} }) => {
  const scene = new Scene({ links: [link(UP), link(DOWN)] });
  scene.receive(DOWN, frame, facts);
  expect(scene.outcome).toBe('forwarded');
  expect(scene.taken()).toHaveLength(2); // checked and parsed by frameText
});
