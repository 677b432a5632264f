import { decodeEthernet } from '../ethernet';
import { decodeIcmp6, encodeIcmp6, icmp6Checksum } from '../icmp6';
import { decodeIpv6, type Ipv6Packet } from '../ipv6';
import type { Decoded } from '../decoded';
import { CAPTURED } from '../testing/captured';
import { hex, toHex } from '../testing/hex';
import { acceptedPrefixes } from '../testing/prefixes';
import { ndFrame } from './frame';
import { decodeNd, encodeNd, NaFlag, type NdMessage } from './messages';
import { linkAddressOption, mtuOption, option, prefixInformation, rdnssOption } from './options';

const MAC_1 = hex('02:00:00:00:00:01');
const MAC_2 = hex('02:00:00:00:00:02');
const PREFIX = hex('20010db8000100000000000000000000');
const ROUTER = hex('20010db8000100000000000000000001');
const HOST = hex('20010db800010000000000fffe000002');

/** From the ICMPv6 header on. */
const decodeWhole = (message: Uint8Array): Decoded<NdMessage> => {
  const icmp = decodeIcmp6(message);
  return icmp.ok ? decodeNd(icmp.value) : icmp;
};

function packetOf(frame: Uint8Array): Ipv6Packet {
  const ethernet = decodeEthernet(frame);
  if (!ethernet.ok) throw new Error(ethernet.fault);
  const packet = decodeIpv6(ethernet.value.payload);
  if (!packet.ok) throw new Error(packet.fault);
  return packet.value;
}

interface Golden {
  readonly name: keyof typeof CAPTURED;
  readonly message: NdMessage;
  /** Lengths at which a prefix is a whole message: between options. */
  readonly prefixes: readonly number[];
}

const GOLDEN: readonly Golden[] = [
  {
    name: 'duplicateCheck',
    message: {
      kind: 'neighbor-solicit',
      target: hex('fe80000000000000000000fffe000002'),
      options: [option(14, hex('ebefd68c8825'))],
    },
    prefixes: [24],
  },
  {
    name: 'routerSolicit',
    message: { kind: 'router-solicit', options: [linkAddressOption('source', MAC_2)] },
    prefixes: [8],
  },
  {
    name: 'routerAdvert',
    message: {
      kind: 'router-advert',
      curHopLimit: 64,
      flags: 0,
      lifetimeSec: 12,
      reachableMs: 0,
      retransMs: 0,
      options: [
        prefixInformation({
          prefixLength: 64,
          flags: 0xc0,
          validSec: 86400,
          preferredSec: 14400,
          prefix: PREFIX,
        }),
        option(24, hex('3000 0000000c 20010db8000200000000000000000000')),
        rdnssOption({ lifetimeSec: 4, servers: [hex('20010db8000100000000000000000053')] }),
        mtuOption(1500),
        linkAddressOption('source', MAC_1),
      ],
    },
    prefixes: [16, 48, 72, 96, 104],
  },
  {
    name: 'neighborSolicit',
    message: { kind: 'neighbor-solicit', target: ROUTER, options: [linkAddressOption('source', MAC_2)] },
    prefixes: [24],
  },
  {
    name: 'neighborAdvert',
    message: {
      kind: 'neighbor-advert',
      flags: NaFlag.router | NaFlag.solicited | NaFlag.override,
      target: ROUTER,
      options: [linkAddressOption('target', MAC_1)],
    },
    prefixes: [24],
  },
  {
    name: 'probeAnswer',
    message: { kind: 'neighbor-advert', flags: NaFlag.solicited, target: HOST, options: [] },
    prefixes: [],
  },
];

test.each(GOLDEN)('$name as Linux sent it, both ways', ({ name, message, prefixes }) => {
  const { payload, source, destination } = packetOf(CAPTURED[name]);
  expect(icmp6Checksum(payload, source, destination)).toBe(0);
  expect(decodeWhole(payload)).toEqual({ ok: true, value: message });
  expect(toHex(encodeIcmp6(encodeNd(message), source, destination))).toBe(toHex(payload));
  expect(acceptedPrefixes(decodeWhole, payload)).toEqual(prefixes);
});

test('a redirect, both ways', () => {
  const redirect: NdMessage = {
    kind: 'redirect',
    target: ROUTER,
    destination: HOST,
    options: [linkAddressOption('target', MAC_1), option(4, hex('000000000000 6000000000003b40'))],
  };
  const bytes = hex(`
    89 00 0000 00000000
    20010db8000100000000000000000001 # target
    20010db800010000000000fffe000002 # destination
    0201 020000000001
    0402 0000 00000000 6000000000003b40 # redirected header`);
  expect(decodeWhole(bytes)).toEqual({ ok: true, value: redirect });
  expect(toHex(encodeNd(redirect).body)).toBe(toHex(bytes.subarray(4)));
  expect(acceptedPrefixes(decodeWhole, bytes)).toEqual([40, 48]);
});

test('a frame from nothing but its message', () => {
  const frame = ndFrame(
    { sourceMac: MAC_1, destinationMac: MAC_2, source: ROUTER, destination: HOST },
    { kind: 'neighbor-advert', flags: 0xe0, target: ROUTER, options: [linkAddressOption('target', MAC_1)] },
  );
  expect(toHex(frame)).toBe(toHex(CAPTURED.neighborAdvert));
});

const NS = '87 00 0000 00000000 20010db8000100000000000000000001';
test.each([
  { name: 'an option of length zero', bytes: `${NS} 0100 020000000002`, want: 'option-zero' },
  { name: 'an option longer than the message', bytes: `${NS} 0102 020000000002`, want: 'option-overrun' },
  { name: 'one byte where an option should be', bytes: `${NS} 01`, want: 'option-overrun' },
  { name: 'a second option cut short', bytes: `${NS} 0101 020000000002 0101`, want: 'option-overrun' },
  { name: 'a type that is not neighbour discovery', bytes: '80 00 0000 00010002', want: 'type' },
  { name: 'a redirect of the length of a solicitation', bytes: NS.replace('87', '89'), want: 'truncated' },
])('$name is refused', ({ bytes, want }) => {
  expect(decodeWhole(hex(bytes))).toEqual({ ok: false, fault: want });
});

test('reserved bits and unknown options are no reason to refuse', () => {
  const bytes = hex('87 00 0000 ffffffff 20010db8000100000000000000000001 fe01 010203040506');
  expect(decodeWhole(bytes)).toEqual({
    ok: true,
    value: { kind: 'neighbor-solicit', target: ROUTER, options: [option(0xfe, hex('010203040506'))] },
  });
});
