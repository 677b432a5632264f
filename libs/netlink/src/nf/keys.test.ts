import { hex } from '../testing';
import { encode } from '../codec/parts';
import { encodeKey } from './keys';
import type { FieldType } from './keys';

const rows: readonly {
  name: string;
  in: readonly [readonly FieldType[], readonly string[]];
  want: string;
}[] = [
  { name: 'name, to sixteen bytes', in: [['ifname'], ['eth0']], want: '65746830 00000000 00000000 00000000' },
  { name: 'IPv4, network order', in: [['ipv4_addr'], ['10.0.0.1']], want: '0a000001' },
  { name: 'IPv6', in: [['ipv6_addr'], ['fd00::1']], want: 'fd000000 00000000 00000000 00000001' },
  { name: 'mark, host order', in: [['mark'], ['0x03ea0001']], want: '0100ea03' },
  { name: 'mark in decimal', in: [['mark'], ['256']], want: '00010000' },
  { name: 'protocol by name', in: [['inet_proto'], ['udp']], want: '11' },
  { name: 'protocol by number', in: [['inet_proto'], ['47']], want: '2f' },
  { name: 'port, network order, alone: two bytes', in: [['inet_service'], ['8080']], want: '1f90' },
  { name: 'MAC', in: [['ether_addr'], ['02:00:00:00:00:01']], want: '02000000 0001' },
  { name: 'family', in: [['nf_proto'], ['ipv6']], want: '0a' },
  {
    name: 'in a concatenation each is padded to four',
    in: [
      ['ether_addr', 'inet_proto', 'inet_service', 'uid'],
      ['02:00:00:00:00:01', 'tcp', '80', '1000'],
    ],
    want: '02000000 00010000 06000000 00500000 e8030000',
  },
];

test.each(rows)('$name', ({ in: [types, fields], want }) => {
  expect(encode(encodeKey(types, fields))).toEqual(hex(want));
});

test('in a set of intervals numbers of host order are big-endian', () => {
  const types = ['mark', 'inet_service'] as const;
  expect(encode(encodeKey(types, ['0x3f00', '80'], { intervals: true }))).toEqual(hex('00003f00 00500000'));
});

const refused: readonly { name: string; in: readonly [readonly FieldType[], readonly string[]] }[] = [
  { name: 'a name of sixteen bytes', in: [['ifname'], ['sixteencharacter']] },
  { name: 'an empty name', in: [['ifname'], ['']] },
  { name: 'IPv6 where IPv4 is wanted', in: [['ipv4_addr'], ['fd00::1']] },
  { name: 'a port above 65535', in: [['inet_service'], ['65536']] },
  { name: 'an unknown protocol', in: [['inet_proto'], ['toString']] },
  { name: 'a number with a sign', in: [['mark'], ['-1']] },
  { name: 'an empty number', in: [['mark'], ['']] },
  { name: 'too few fields', in: [['ifname', 'mark'], ['eth0']] },
];

test.each(refused)('refused: $name', ({ in: [types, fields] }) => {
  expect(() => encodeKey(types, fields)).toThrow(RangeError);
});
