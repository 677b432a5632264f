import { nameFromLabels, nameText, type WireName } from '@pp/wire';
import { addressOfReverse, endsWithArpa, reverseName } from './reverse-name';

const nameOf = (text: string): WireName => {
  const name = nameFromLabels(text.split('.'));
  if (name === null) throw new Error(`no name: ${text}`);
  return name;
};

// RFC 1035 §3.5; RFC 3596 §2.5 has the second.
test.each([
  { address: [192, 0, 2, 10], name: '10.2.0.192.in-addr.arpa' },
  {
    address: [0x43, 0x21, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0x05, 0x67, 0x89, 0xab],
    name: 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
  },
])('the reverse name, both ways: $name', ({ address, name }) => {
  expect(nameText(reverseName(Uint8Array.from(address)))).toBe(name);
  expect([...(addressOfReverse(nameOf(name.toUpperCase())) ?? [])]).toEqual(address);
  expect(endsWithArpa(nameOf(name.toUpperCase()), 0)).toBe(true);
});

test.each([
  '2.0.192.in-addr.arpa',
  '1.10.2.0.192.in-addr.arpa',
  '256.2.0.192.in-addr.arpa',
  '010.2.0.192.in-addr.arpa',
  'x.2.0.192.in-addr.arpa',
  '10.2.0.192.in-addr.local',
  '10.2.0.192.ip6.arpa',
  `${'0.'.repeat(31)}ip6.arpa`,
  `${'0.'.repeat(31)}g.ip6.arpa`,
  `${'0.'.repeat(31)}10.ip6.arpa`,
  `${'0.'.repeat(32)}ip4.arpa`,
  'arpa',
])('no reverse name of an address: %s', (name) => {
  expect(addressOfReverse(nameOf(name))).toBeNull();
});
