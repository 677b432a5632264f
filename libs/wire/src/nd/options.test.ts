import { hex, toHex } from '../testing/hex';
import {
  decodePrefixInformation,
  decodeRdnss,
  encodeNdOptions,
  linkAddressOf,
  linkAddressOption,
  mtuOption,
  option,
  prefixInformation,
  rdnssOption,
} from './options';

const PREFIX = hex('20010db8000100000000000000000000');

test('a prefix, both ways', () => {
  const pio = { prefixLength: 64, flags: 0xc0, validSec: 86400, preferredSec: 0xffffffff, prefix: PREFIX };
  const built = prefixInformation(pio);
  expect(toHex(built.bytes)).toBe(`030440c000015180ffffffff00000000${toHex(PREFIX)}`);
  expect(decodePrefixInformation(built)).toEqual({ ok: true, value: pio });
});

test('resolvers, both ways', () => {
  const rdnss = { lifetimeSec: 600, servers: [PREFIX, PREFIX] };
  expect(decodeRdnss(rdnssOption(rdnss))).toEqual({ ok: true, value: rdnss });
});

test('an MTU', () => {
  expect(toHex(mtuOption(1280).bytes)).toBe('0501000000000500');
});

test.each([
  {
    name: 'a prefix longer than an address',
    got: decodePrefixInformation(option(3, hex(`81c0 ${'00'.repeat(28)}`))),
    want: 'length',
  },
  {
    name: 'a prefix option of one unit',
    got: decodePrefixInformation(option(3, hex('40c0'))),
    want: 'truncated',
  },
  {
    name: 'a prefix option of five units',
    got: decodePrefixInformation(option(3, new Uint8Array(38))),
    want: 'slack',
  },
  { name: 'resolvers without one', got: decodeRdnss(option(25, new Uint8Array(6))), want: 'length' },
  { name: 'half a resolver', got: decodeRdnss(option(25, new Uint8Array(14))), want: 'truncated' },
])('$name is refused', ({ got, want }) => {
  expect(got).toEqual({ ok: false, fault: want });
});

test('a link-layer address of another length is none of Ethernet', () => {
  expect(linkAddressOf(linkAddressOption('source', hex('020000000001')))).toEqual(hex('020000000001'));
  expect(linkAddressOf(option(1, new Uint8Array(14)))).toBeNull();
});

test('a value is padded to whole units', () => {
  expect(toHex(encodeNdOptions([option(200, hex('0102030405060708'))]))).toBe(
    'c80201020304050607080000' + '00000000',
  );
});
