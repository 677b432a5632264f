import { decodeEthernet, encodeEthernet, ETHERTYPE_IPV6, isGroupAddress } from './ethernet';
import { parseIpv6, ipv6ToBytes } from './addr/ipv6';
import * as ipv6 from './ipv6';
import { acceptedPrefixes } from './testing/prefixes';
import { CAPTURED } from './testing/captured';
import { hex, toHex } from './testing/hex';

const bytesOf = (text: string): Uint8Array => {
  const address = parseIpv6(text);
  if (address === null) throw new Error(text);
  return ipv6ToBytes(address);
};

/** An echo request with every header field set. */
const PACKET = hex(`
  6ab12345 # version, traffic class, flow label
  0008 3a 40
  20010db8000000000000000000000001
  20010db8000000000000000000000002
  8000 1234 0001 0002`);

test('Ethernet both ways', () => {
  const frame = decodeEthernet(CAPTURED.neighborAdvert);
  if (!frame.ok) throw new Error(frame.fault);
  expect(toHex(frame.value.destination)).toBe('020000000002');
  expect(toHex(frame.value.source)).toBe('020000000001');
  expect(frame.value.etherType).toBe(ETHERTYPE_IPV6);
  expect(toHex(encodeEthernet(frame.value))).toBe(toHex(CAPTURED.neighborAdvert));
  expect(acceptedPrefixes(decodeEthernet, CAPTURED.neighborAdvert.subarray(0, 14))).toEqual([]);
});

test.each([
  ['01:00:5e:00:00:01', true],
  ['ff:ff:ff:ff:ff:ff', true],
  ['02:00:00:00:00:01', false],
])('%s is a group address: %s', (mac, want) => {
  expect(isGroupAddress(hex(mac))).toBe(want);
});

test('IPv6 both ways', () => {
  const packet = ipv6.decodeIpv6(PACKET);
  expect(packet).toEqual({
    ok: true,
    value: {
      trafficClass: 0xab,
      flowLabel: 0x12345,
      nextHeader: 58,
      hopLimit: 64,
      source: bytesOf('2001:db8::1'),
      destination: bytesOf('2001:db8::2'),
      payload: hex('8000 1234 0001 0002'),
    },
  });
  if (packet.ok) expect(toHex(ipv6.encodeIpv6(packet.value))).toBe(toHex(PACKET));
});

test('every prefix of an IPv6 packet is refused', () => {
  expect(acceptedPrefixes(ipv6.decodeIpv6, PACKET)).toEqual([]);
});

test('padding behind the payload length is cut off', () => {
  const padded = ipv6.decodeIpv6(Uint8Array.of(...PACKET, 0xee, 0xee));
  expect(padded.ok && padded.value.payload.length).toBe(8);
});

test.each([
  { name: 'IPv4', at: 0, byte: 0x45, want: 'version' },
  { name: 'version 7', at: 0, byte: 0x7a, want: 'version' },
  { name: 'a payload length past the end', at: 5, byte: 9, want: 'truncated' },
])('$name is refused', ({ at, byte, want }) => {
  const packet = PACKET.slice();
  packet[at] = byte;
  expect(ipv6.decodeIpv6(packet)).toEqual({ ok: false, fault: want });
});

const KINDS = {
  multicast: ipv6.isMulticast,
  linkLocal: ipv6.isLinkLocal,
  unspecified: ipv6.isUnspecified,
  loopback: ipv6.isLoopback,
  ipv4Mapped: ipv6.isIpv4Mapped,
  solicitedNode: ipv6.isSolicitedNode,
};

test.each([
  { address: '::', want: ['unspecified'] },
  { address: '::1', want: ['loopback'] },
  { address: '::2', want: [] },
  { address: 'fe80::1', want: ['linkLocal'] },
  { address: 'febf::1', want: ['linkLocal'] },
  { address: 'fec0::1', want: [] },
  { address: '::ffff:192.0.2.1', want: ['ipv4Mapped'] },
  { address: 'ff02::1', want: ['multicast'] },
  { address: 'ff02::1:ff12:3456', want: ['multicast', 'solicitedNode'] },
  { address: 'ff02::1:fe12:3456', want: ['multicast'] },
  { address: '2001:db8::1', want: [] },
])('$address is $want', ({ address, want }) => {
  const kindsOf = (bytes: Uint8Array, at?: number): string[] =>
    Object.entries(KINDS).flatMap(([kind, claim]) => (claim(bytes, at) ? [kind] : []));
  expect(kindsOf(bytesOf(address))).toEqual(want);
  expect(kindsOf(Uint8Array.of(0xff, 1, 2, ...bytesOf(address), 0xff), 3)).toEqual(want);
});

test('groups that every link has', () => {
  expect([ipv6.ALL_NODES, ipv6.ALL_ROUTERS]).toEqual([bytesOf('ff02::1'), bytesOf('ff02::2')]);
});

test('the solicited-node group of an address and the MAC of a group', () => {
  const group = ipv6.solicitedNodeOf(bytesOf('2001:db8::12:3456:789a'));
  expect(group).toEqual(bytesOf('ff02::1:ff56:789a'));
  expect(toHex(ipv6.multicastMac(group))).toBe('3333ff56789a');
});

const extension = (next: number, ...rest: number[]): number[] => [
  next,
  0,
  ...rest,
  ...new Array<number>(6 - rest.length).fill(0),
];
const ICMP = [0x87, 0, 0, 0];

test.each([
  { name: 'none', next: 58, payload: ICMP, want: [58, ICMP, false, false] },
  { name: 'one', next: 0, payload: [...extension(58), ...ICMP], want: [58, ICMP, false, false] },
  {
    name: 'two',
    next: 0,
    payload: [...extension(60), ...extension(58), ...ICMP],
    want: [58, ICMP, false, false],
  },
  {
    name: 'one of 16 bytes',
    next: 60,
    payload: [58, 1, ...new Array<number>(14).fill(0), ...ICMP],
    want: [58, ICMP, false, false],
  },
  {
    name: 'a first fragment',
    next: 44,
    payload: [...extension(58, 0, 1), ...ICMP],
    want: [58, ICMP, true, false],
  },
  {
    name: 'a later fragment, whose bytes look like a header',
    next: 44,
    payload: [...extension(60, 0x10, 1), ...extension(58)],
    want: [60, extension(58), true, false],
  },
  { name: 'one cut off', next: 0, payload: [58, 1, 0, 0, 0, 0, 0, 0], want: [0, [], false, true] },
  { name: 'nothing where one should be', next: 0, payload: [], want: [0, [], false, true] },
  {
    name: 'more than anybody sends',
    next: 60,
    payload: new Array<number[]>(9).fill(extension(60)).flat(),
    want: [60, extension(60), false, true],
  },
  {
    name: 'a first fragment that ends before anything begins',
    next: 44,
    payload: extension(58, 0, 1),
    want: [58, [], true, true],
  },
  {
    name: 'a first fragment of a packet with nothing behind its headers',
    next: 44,
    payload: extension(59, 0, 1),
    want: [59, [], true, false],
  },
])('extension headers: $name', ({ next, payload, want: [protocol, rest, isFragment, isCut] }) => {
  const upper = ipv6.upperLayer({ nextHeader: next, payload: Uint8Array.from(payload) });
  expect({ ...upper, payload: [...upper.payload] }).toEqual({ protocol, payload: rest, isFragment, isCut });
});
