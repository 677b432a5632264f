import {
  copiedOptions,
  decodeIpv4,
  decodeIpv4Options,
  encodeIpv4,
  isSourceRoute,
  type Ipv4Packet,
} from './ipv4';
import { acceptedPrefixes } from './testing/prefixes';
import { hex, toHex } from './testing/hex';

/** Sent by Linux 6.18: the second of three fragments, with a router alert put before its payload. */
const PACKET = hex(`
  46 b8 001c aace 2006 40 11 25bd c0000201 ffffffff
  94040000 # router alert
  28292a2b`);
const FIELDS: Ipv4Packet = {
  tos: 0xb8,
  id: 0xaace,
  dontFragment: false,
  moreFragments: true,
  fragmentOffset: 48,
  ttl: 64,
  protocol: 17,
  source: 0xc0000201,
  destination: 0xffffffff,
  options: hex('94040000'),
  payload: hex('28292a2b'),
};

test('both ways', () => {
  const checked = encodeIpv4(FIELDS);
  expect(decodeIpv4(checked)).toEqual({ ok: true, value: FIELDS });
  expect(toHex(checked).replace(/^(.{20})..../, '$1____')).toBe(
    toHex(PACKET).replace(/^(.{20})..../, '$1____'),
  );
});

test('golden: what Linux sends', () => {
  const golden = hex('45b80020aace000c40110d3ac0000201ffffffff 58595a5b5c5d5e5f60616263');
  const packet = decodeIpv4(golden);
  expect(packet).toMatchObject({ ok: true, value: { id: 0xaace, fragmentOffset: 96, moreFragments: false } });
  if (packet.ok) expect(toHex(encodeIpv4(packet.value))).toBe(toHex(golden));
});

test('padding of the link is not looked at, and every prefix is refused', () => {
  const bytes = encodeIpv4(FIELDS);
  expect(decodeIpv4(Uint8Array.of(...bytes, 0, 0, 0))).toEqual({ ok: true, value: FIELDS });
  expect(acceptedPrefixes(decodeIpv4, bytes)).toEqual([]);
});

test.each([
  { name: 'another version', at: 0, byte: 0x66, fault: 'version' },
  { name: 'a header of 16 bytes', at: 0, byte: 0x44, fault: 'length' },
  { name: 'a header beyond the packet', at: 0, byte: 0x4f, fault: 'length' },
  { name: 'a total length below the header', at: 3, byte: 20, fault: 'length' },
  { name: 'a total length beyond the frame', at: 3, byte: 200, fault: 'truncated' },
  { name: 'a wrong checksum', at: 8, byte: 63, fault: 'checksum' },
])('$name is $fault', ({ at, byte, fault }) => {
  const bytes = encodeIpv4(FIELDS);
  bytes[at] = byte;
  expect(decodeIpv4(bytes)).toEqual({ ok: false, fault });
});

test.each([
  { name: 'none', options: '', want: [] },
  { name: 'no operation, then padding', options: '01010000', want: [] },
  { name: 'router alert and record route', options: '94040000 0703040000000000', want: [148, 7] },
  { name: 'what follows the end of the list', options: '00ffffff', want: [] },
])('options: $name', ({ options, want }) => {
  const found = decodeIpv4Options(hex(options));
  expect(found.ok ? found.value.map(({ type }) => type) : found.fault).toEqual(want);
});

test.each([
  { name: 'of length zero', options: '07000000', fault: 'option-zero' },
  { name: 'of length one', options: '07010000', fault: 'option-zero' },
  { name: 'beyond the header', options: '07050000', fault: 'option-overrun' },
  { name: 'without length', options: '01010107', fault: 'option-overrun' },
])('an option $name is refused', ({ options, fault }) => {
  expect(decodeIpv4Options(hex(options))).toEqual({ ok: false, fault });
});

test('source routes are told', () => {
  const found = decodeIpv4Options(hex('83030489030494040000 0000'));
  expect(found.ok ? found.value.map(isSourceRoute) : found.fault).toEqual([true, true, false]);
});

test.each([
  { name: 'record route is not copied, router alert is', options: '07030494040000 00', want: '94040000' },
  { name: 'padded', options: '8303040000000000', want: '83030400' },
  { name: 'unreadable', options: '94000000', want: '' },
])('options of later fragments: $name', ({ options, want }) => {
  expect(toHex(copiedOptions(hex(options)))).toBe(want);
});
