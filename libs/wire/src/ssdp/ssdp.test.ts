import { SeededRandom } from '@pp/base/testing';
import { authorityOf, isRoutable } from './location';
import { decodeSsdp, headerOf, maxWaitSec, withTexts, type SsdpFault } from './message';
import type { Ipv4Address } from '../addr/ipv4';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const lines = (...each: readonly string[]): Uint8Array => bytes([...each, '', ''].join('\r\n'));

const SEARCH = [
  'M-SEARCH * HTTP/1.1',
  'HOST: 239.255.255.250:1900',
  'MAN: "ssdp:discover"',
  'MX: 3',
  'ST: ssdp:all',
];
const NOTIFY = [
  'NOTIFY * HTTP/1.1',
  'NT: upnp:rootdevice',
  'NTS: ssdp:alive',
  'LOCATION: http://192.0.2.1/d.xml',
];

test.each([
  { name: 'a search', in: lines(...SEARCH), want: 'search' },
  { name: 'an announcement', in: lines(...NOTIFY), want: 'notify' },
  {
    name: 'a farewell, which has no location',
    in: lines('NOTIFY * HTTP/1.1', 'NT: x', 'NTS: ssdp:byebye'),
    want: 'notify',
  },
  { name: 'an answer', in: lines('HTTP/1.1 200 OK', 'ST: x'), want: 'response' },
  { name: 'no empty line at the end', in: bytes(SEARCH.join('\r\n')), want: 'search' },
  { name: 'NULs behind the end', in: bytes(`${SEARCH.join('\r\n')}\r\n\r\n\0\0`), want: 'search' },
  { name: 'lines that end with LF', in: bytes(`${SEARCH.join('\n')}\n\n`), want: 'search' },
  {
    name: 'names in any case',
    in: lines('m-search * http/1.1', 'man:ssdp:discover', 'sT :x'),
    want: 'search',
  },
  { name: 'a byte beyond ASCII in a value', in: lines(...NOTIFY, 'SERVER: K\xfcche'), want: 'notify' },
])('$name', ({ in: message, want }) => {
  const decoded = decodeSsdp(message);
  expect(decoded.ok ? decoded.value.kind : decoded.fault).toBe(want);
});

const malformed: { name: string; in: Uint8Array; want: SsdpFault }[] = [
  { name: 'nothing', in: bytes(''), want: 'ssdp-start' },
  { name: 'only NULs', in: bytes('\0\0'), want: 'ssdp-start' },
  { name: 'another request', in: lines('GET / HTTP/1.1', 'HOST: x'), want: 'ssdp-start' },
  { name: 'another status', in: lines('HTTP/1.1 404 Not Found'), want: 'ssdp-start' },
  { name: 'another target', in: lines('NOTIFY /x HTTP/1.1', 'NT: x', 'NTS: y'), want: 'ssdp-start' },
  { name: 'a line without a colon', in: lines(...SEARCH, 'nonsense'), want: 'ssdp-header' },
  { name: 'a folded line', in: lines(...SEARCH, ' folded: x'), want: 'ssdp-header' },
  { name: 'a NUL', in: lines(...SEARCH, 'X: a\0b'), want: 'ssdp-header' },
  { name: 'a search without ST', in: lines(...SEARCH.slice(0, 4)), want: 'ssdp-search' },
  {
    name: 'a search with another MAN',
    in: lines('M-SEARCH * HTTP/1.1', 'MAN: "x"', 'ST: y'),
    want: 'ssdp-search',
  },
  { name: 'an announcement without NTS', in: lines('NOTIFY * HTTP/1.1', 'NT: x'), want: 'ssdp-notify' },
  {
    name: 'too many lines',
    in: lines(...SEARCH, ...Array.from({ length: 64 }, (_, i) => `X-${i}: y`)),
    want: 'ssdp-long',
  },
  { name: 'too many bytes', in: lines(...SEARCH, `X: ${'y'.repeat(9000)}`), want: 'ssdp-long' },
];

test.each(malformed)('$name: $want', ({ in: message, want }) => {
  expect(decodeSsdp(message)).toEqual({ ok: false, fault: want });
});

test('a value is replaced, and no other byte', () => {
  const message = lines(...NOTIFY, 'X:y');
  const decoded = decodeSsdp(message);
  if (!decoded.ok) throw new Error(decoded.fault);
  const header = decoded.value.headers.find(({ name }) => name === 'location');
  if (header === undefined) throw new Error('no location');
  const want = lines(...NOTIFY.slice(0, 3), 'LOCATION: http://198.51.100.7:8080/d.xml', 'X:y');
  expect(withTexts(message, [{ ...header, text: 'http://198.51.100.7:8080/d.xml' }])).toEqual(want);
  expect(headerOf(decoded.value, 'nts')).toBe('ssdp:alive');
});

test('a line is taken out, and no other byte', () => {
  const message = lines(...NOTIFY, 'X:y');
  const decoded = decodeSsdp(message);
  if (!decoded.ok) throw new Error(decoded.fault);
  const header = decoded.value.headers.find(({ name }) => name === 'location');
  if (header === undefined) throw new Error('no location');
  expect(withTexts(message, [{ ...header.line, text: '' }])).toEqual(lines(...NOTIFY.slice(0, 3), 'X:y'));
});

test.each([
  { mx: '3', want: 3 },
  { mx: '120', want: 5 },
  { mx: '0', want: 1 },
  { mx: 'soon', want: 1 },
  { mx: '-4', want: 1 },
])('MX $mx is $want s', ({ mx, want }) => {
  const decoded = decodeSsdp(lines(...SEARCH.filter((line) => !line.startsWith('MX')), `MX: ${mx}`));
  if (!decoded.ok) throw new Error(decoded.fault);
  expect(maxWaitSec(decoded.value)).toBe(want);
});

test.each([
  { url: 'http://192.0.2.1:8200/rootDesc.xml', want: ['192.0.2.1', 8200, '192.0.2.1:8200'] },
  { url: 'http://192.0.2.1', want: ['192.0.2.1', 80, '192.0.2.1'] },
  { url: 'https://192.0.2.1/x', want: ['192.0.2.1', 443, '192.0.2.1'] },
  { url: 'http://[2001:db8::1]:80/x', want: ['2001:db8::1', 80, '[2001:db8::1]:80'] },
  { url: 'http://[fe80::1%25eth0]/x', want: ['fe80::1', 80, '[fe80::1%25eth0]'] },
  { url: 'http://tv.local:1/x', want: [null, 1, 'tv.local:1'] },
  { url: '<http://192.0.2.1:8200/x>', want: ['192.0.2.1', 8200, '192.0.2.1:8200'] },
  { url: 'ftp://192.0.2.1/x', want: null },
  { url: 'http://192.0.2.1:0/x', want: null },
  { url: 'http://192.0.2.1:99999/x', want: null },
  { url: 'http://[zz]/x', want: null },
  { url: 'http://a@192.0.2.1/x', want: null },
  { url: 'http:///x', want: null },
])('$url', ({ url, want }) => {
  const authority = authorityOf(url);
  expect(
    authority === null
      ? null
      : [authority.address, authority.port, url.slice(authority.start, authority.end)],
  ).toEqual(want);
});

test.each([
  { address: '192.168.1.2', want: true },
  { address: '169.254.1.2', want: false },
  { address: '127.0.0.1', want: false },
  { address: '0.0.0.0', want: false },
  { address: '223.255.255.254', want: true },
  { address: '224.0.0.251', want: false },
  { address: '239.1.1.1', want: false },
  { address: '2001:db8::1', want: true },
  { address: 'fd00::1', want: true },
  { address: 'fe80::1', want: false },
  { address: '::1', want: false },
  { address: '::', want: false },
  { address: 'febf::1', want: false },
  { address: 'ff02::c', want: false },
  { address: '::ffff:127.0.0.1', want: false },
  { address: '::ffff:192.168.1.2', want: false },
])('$address leads anywhere: $want', ({ address, want }) => {
  expect(isRoutable(address as Ipv4Address)).toBe(want);
});

test('mutated messages, seed 1900', () => {
  const random = new SeededRandom(1900);
  const seeds = [
    lines(...SEARCH),
    lines(...NOTIFY),
    lines('HTTP/1.1 200 OK', 'LOCATION: http://192.0.2.1:1/'),
  ];
  const seen = { taken: 0, refused: 0 };
  for (let round = 0; round < 20_000; round++) {
    const message = random.pick(seeds).slice();
    for (let i = random.below(3); i >= 0; i--) message[random.below(message.length)] = random.below(256);
    const decoded = decodeSsdp(message);
    if (!decoded.ok) seen.refused++;
    else {
      seen.taken++;
      // A value lies where it is said to lie, and an edit that changes nothing changes nothing.
      const texts = decoded.value.headers
        .filter(({ value }) => /^[ -~]*$/.test(value))
        .map((header) => ({ ...header, text: header.value }));
      expect(withTexts(message, texts)).toEqual(message);
    }
  }
  expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(1000);
});
