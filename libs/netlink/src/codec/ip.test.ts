import { hex } from '../testing';
import {
  broadcastOf,
  decodeIp,
  decodeMac,
  decodePrefix,
  encodeIp,
  encodeMac,
  encodePrefix,
  familyName,
  familyNumber,
} from './ip';
import { MalformedError } from './malformed';

const addresses = [
  { text: '100.115.92.129', bytes: '64735c81' },
  { text: '::', bytes: '00'.repeat(16) },
  { text: 'fd00:0:0:1::42', bytes: 'fd00000000000001 0000000000000042' },
];

test.each(addresses)('$text both ways', ({ text, bytes }) => {
  expect(encodeIp(text)).toEqual(hex(bytes));
  expect(decodeIp(hex(bytes))).toBe(text);
});

test.each(['', '1.2.3', '1.2.3.4/8', 'fe80::1%eth0', '01.2.3.4', ':::'])('no address: %p', (text) => {
  expect(() => encodeIp(text)).toThrow(RangeError);
});

test('an address of another length is malformed', () => {
  expect(() => decodeIp(new Uint8Array(6))).toThrow(MalformedError);
});

test('a prefix keeps bits beyond its length', () => {
  expect(encodePrefix('10.0.0.1/24')).toEqual({ family: 'ipv4', address: hex('0a000001'), length: 24 });
  expect(() => encodePrefix('10.0.0.1')).toThrow(RangeError);
  expect(() => encodePrefix('10.0.0.1/33')).toThrow(RangeError);
});

test('a default route has no address', () => {
  expect([decodePrefix('ipv4', null, 0), decodePrefix('ipv6', null, 0)]).toEqual(['0.0.0.0/0', '::/0']);
});

const broadcasts = [
  { in: '100.115.92.129/30', want: '64735c83' },
  { in: '10.1.2.3/8', want: '0affffff' },
  { in: '10.1.2.3/20', want: '0a010fff' },
  { in: '10.1.2.3/0', want: 'ffffffff' },
];

test.each(broadcasts)('broadcast of $in', ({ in: cidr, want }) => {
  expect(broadcastOf(encodePrefix(cidr))).toEqual(hex(want));
});

test.each(['10.0.0.0/31', '10.0.0.1/32', 'fd00::1/64'])('no broadcast: %s', (cidr) => {
  expect(broadcastOf(encodePrefix(cidr))).toBeNull();
});

test('MAC addresses', () => {
  expect(encodeMac('02:00:5e:00:00:0f')).toEqual(hex('02005e00000f'));
  expect([decodeMac(hex('02005e00000f')), decodeMac(hex('')), decodeMac(hex('0a000001'))]).toEqual([
    '02:00:5e:00:00:0f',
    '',
    '0a:00:00:01',
  ]);
  expect(() => encodeMac('02:00:5e:00:00')).toThrow(RangeError);
});

test('families', () => {
  expect([familyNumber('ipv4'), familyNumber('ipv6'), familyName(2), familyName(10), familyName(7)]).toEqual([
    2,
    10,
    'ipv4',
    'ipv6',
    null,
  ]);
});
