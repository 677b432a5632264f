import {
  encode,
  ModifyPortRuleRequestOperation as Operation,
  ModifyPortRuleRequestProtocol as Proto,
  ModifyPortRuleRequestRuleType as Type,
  SetDnsRedirectionRuleRequestRuleType as DnsType,
  type Init,
  type Messages,
} from '@pp/proto';
import { dnsRuleFromProto, portRuleFromProto } from './port-from-proto';

type PortRequest = Init<Messages['ModifyPortRuleRequest']>;
type DnsRequest = Init<Messages['SetDnsRedirectionRuleRequest']>;

const ACCESS: PortRequest = { op: Operation.CREATE, type: Type.ACCESS, proto: Proto.TCP, inputDstPort: 80 };
const FORWARDING: PortRequest = {
  ...ACCESS,
  type: Type.FORWARDING,
  inputIfname: 'eth0',
  dstIp: '100.115.92.26',
  dstPort: 8080,
};
const readPort = (request: PortRequest) => portRuleFromProto(encode('ModifyPortRuleRequest', request));

test.each([
  {
    name: 'access by any interface',
    in: ACCESS,
    want: { op: 'create', rule: { type: 'access', protocol: 'tcp', port: 80, ifname: null } },
  },
  {
    name: 'access by one whose name has an underscore',
    in: { ...ACCESS, op: Operation.DELETE, proto: Proto.UDP, inputIfname: 'arc_eth0', inputDstPort: 65535 },
    want: { op: 'delete', rule: { type: 'access', protocol: 'udp', port: 65535, ifname: 'arc_eth0' } },
  },
  {
    name: 'lockdown, which has no interface',
    in: { ...ACCESS, type: Type.LOCKDOWN, inputIfname: '//', dstIp: 'x', dstPort: 70000 },
    want: { op: 'create', rule: { type: 'lockdown', protocol: 'tcp', port: 80 } },
  },
  {
    name: 'forwarding of what comes for any address',
    in: FORWARDING,
    want: {
      op: 'create',
      rule: {
        type: 'forwarding',
        protocol: 'tcp',
        port: 80,
        ifname: 'eth0',
        address: null,
        to: { address: '100.115.92.26', port: 8080 },
      },
    },
  },
  {
    name: 'forwarding of what comes for one address',
    in: { ...FORWARDING, inputDstIp: '192.0.2.10' },
    want: { rule: { address: '192.0.2.10' } },
  },
  {
    name: 'forwarding over IPv6, however it is written',
    in: { ...FORWARDING, inputDstIp: '2001:DB8:0::10', dstIp: 'FD00:0::26' },
    want: { rule: { address: '2001:db8::10', to: { address: 'fd00::26', port: 8080 } } },
  },
])('a port rule: $name', ({ in: request, want }) => {
  expect(readPort(request)).toMatchObject({ ok: true, value: want });
});

test.each([
  { name: 'no operation', in: { ...ACCESS, op: 0 }, says: 'op is missing' },
  {
    name: 'an unknown operation',
    in: { ...ACCESS, op: 3 },
    says: 'op 3 is unknown: use CREATE (1), DELETE (2)',
  },
  { name: 'a negative operation', in: { ...ACCESS, op: -1 }, says: 'op -1' },
  { name: 'no type', in: { ...ACCESS, type: 0 }, says: 'type is missing' },
  { name: 'an unknown type', in: { ...ACCESS, type: 4 }, says: 'type 4' },
  { name: 'no protocol', in: { ...ACCESS, proto: 0 }, says: 'proto is missing' },
  { name: 'an unknown protocol', in: { ...ACCESS, proto: 6 }, says: 'proto 6' },
  { name: 'no port', in: { ...ACCESS, inputDstPort: 0 }, says: 'input_dst_port 0' },
  { name: 'a port of 17 bits', in: { ...ACCESS, inputDstPort: 65536 + 80 }, says: 'input_dst_port 65616' },
  { name: 'the greatest number', in: { ...ACCESS, inputDstPort: 2 ** 32 - 1 }, says: '4294967295' },
  { name: 'a long name', in: { ...ACCESS, inputIfname: 'a'.repeat(16) }, says: 'is no interface name' },
  {
    name: 'a name of 5,000 letters, of which enough is told',
    in: { ...ACCESS, inputIfname: 'a'.repeat(5000) },
    says: `input_ifname "${'a'.repeat(64)}..." is no interface name: 1 to 15`,
  },
  { name: 'a name that begins with a dash', in: { ...ACCESS, inputIfname: '-eth0' }, says: '"-eth0"' },
  { name: 'a name that ends with a dot', in: { ...ACCESS, inputIfname: 'eth0.' }, says: '"eth0."' },
  { name: 'a name with a blank', in: { ...ACCESS, inputIfname: 'eth 0' }, says: '"eth 0"' },
  { name: 'a name with a line end', in: { ...ACCESS, inputIfname: 'eth0\n' }, says: '"eth0\\n"' },
  { name: 'a name that is nft text', in: { ...ACCESS, inputIfname: 'a"}; flush' }, says: 'is no interface' },
  { name: 'a name beyond ASCII', in: { ...ACCESS, inputIfname: 'ü0' }, says: '"ü0"' },
  {
    name: 'forwarding by no interface',
    in: { ...FORWARDING, inputIfname: '' },
    says: 'input_ifname is missing',
  },
  { name: 'forwarding by loopback', in: { ...FORWARDING, inputIfname: 'lo' }, says: '"lo"' },
  { name: 'forwarding to nowhere', in: { ...FORWARDING, dstIp: '' }, says: 'dst_ip is missing' },
  { name: 'forwarding to no port', in: { ...FORWARDING, dstPort: 0 }, says: 'dst_port 0' },
  { name: 'forwarding to a port of 17 bits', in: { ...FORWARDING, dstPort: 65537 }, says: 'dst_port 65537' },
  { name: 'forwarding to a name', in: { ...FORWARDING, dstIp: 'localhost' }, says: '"localhost"' },
  {
    name: 'forwarding to a name of 5,000 letters',
    in: { ...FORWARDING, dstIp: 'a'.repeat(5000) },
    says: `dst_ip "${'a'.repeat(64)}..." is no address of a host: write one such as`,
  },
  { name: 'forwarding to IPv6 loopback', in: { ...FORWARDING, dstIp: '::1' }, says: '"::1"' },
  { name: 'forwarding to link-local', in: { ...FORWARDING, dstIp: 'fe80::1' }, says: '"fe80::1"' },
  { name: 'forwarding to an IPv6 group', in: { ...FORWARDING, dstIp: 'ff02::fb' }, says: '"ff02::fb"' },
  {
    name: 'forwarding to IPv4 within IPv6',
    in: { ...FORWARDING, dstIp: '::ffff:10.0.0.1' },
    says: '::ffff:10.0.0.1',
  },
  {
    name: 'forwarding from IPv4 to IPv6',
    in: { ...FORWARDING, inputDstIp: '192.0.2.10', dstIp: 'fd00::1' },
    says: 'input_dst_ip 192.0.2.10 and dst_ip fd00::1 are of two families',
  },
  {
    name: 'forwarding from IPv6 to IPv4',
    in: { ...FORWARDING, inputDstIp: 'fd00::1' },
    says: 'are of two families',
  },
  { name: 'forwarding to loopback', in: { ...FORWARDING, dstIp: '127.0.0.1' }, says: '"127.0.0.1"' },
  { name: 'forwarding to a group', in: { ...FORWARDING, dstIp: '224.0.0.251' }, says: '"224.0.0.251"' },
  { name: 'forwarding to all', in: { ...FORWARDING, dstIp: '255.255.255.255' }, says: '"255.255.255.255"' },
  { name: 'forwarding to a number', in: { ...FORWARDING, dstIp: '1' }, says: '"1"' },
  { name: 'forwarding to an octal address', in: { ...FORWARDING, dstIp: '010.0.0.1' }, says: '"010.0.0.1"' },
  { name: 'an input address that is none', in: { ...FORWARDING, inputDstIp: '1.2.3' }, says: 'input_dst_ip' },
])('no port rule: $name', ({ in: request, says }) => {
  expect(readPort(request)).toMatchObject({
    ok: false,
    reason: 'InvalidArgument',
    sentence: expect.stringContaining(says) as string,
  });
});

const DNS: DnsRequest = { type: DnsType.DEFAULT, inputIfname: 'vmtap0', proxyAddress: '100.115.92.130' };
const readDns = (request: DnsRequest) => dnsRuleFromProto(encode('SetDnsRedirectionRuleRequest', request), 7);

test.each([
  {
    name: 'of a guest',
    in: DNS,
    want: { type: 'default', family: 'ipv4', ifname: 'vmtap0', proxy: '100.115.92.130', owner: 7 },
  },
  {
    name: 'of ARC over IPv6',
    in: { ...DNS, type: DnsType.ARC, inputIfname: 'arc_eth0', proxyAddress: 'FD00:0::53' },
    want: { type: 'arc', family: 'ipv6', ifname: 'arc_eth0', proxy: 'fd00::53', owner: 7 },
  },
  {
    name: 'of users',
    in: { type: DnsType.USER, proxyAddress: '100.115.92.130', nameservers: ['8.8.8.8', '1.1.1.1'] },
    want: {
      type: 'user',
      family: 'ipv4',
      proxy: '100.115.92.130',
      nameservers: ['8.8.8.8', '1.1.1.1'],
      owner: 7,
    },
  },
])('a DNS redirection: $name', ({ in: request, want }) => {
  expect(readDns(request)).toEqual({ ok: true, value: want });
});

test.each([
  { name: 'no type', in: { ...DNS, type: 0 }, says: 'type is missing' },
  { name: 'an unknown type', in: { ...DNS, type: 4 }, says: 'type 4' },
  { name: 'no interface', in: { ...DNS, inputIfname: '' }, says: 'input_ifname is missing' },
  { name: 'no proxy', in: { ...DNS, proxyAddress: '' }, says: 'proxy_address is missing' },
  { name: 'a proxy by name', in: { ...DNS, proxyAddress: 'dns.example' }, says: '"dns.example"' },
  { name: 'a proxy with a port', in: { ...DNS, proxyAddress: '10.0.0.1:53' }, says: '"10.0.0.1:53"' },
  { name: 'a proxy on loopback', in: { ...DNS, proxyAddress: '127.0.0.53' }, says: '"127.0.0.53"' },
  { name: 'a proxy on IPv6 loopback', in: { ...DNS, proxyAddress: '::1' }, says: '"::1"' },
  { name: 'a proxy without address', in: { ...DNS, proxyAddress: '::' }, says: '"::"' },
  { name: 'a link-local proxy', in: { ...DNS, proxyAddress: 'fe80::1' }, says: '"fe80::1"' },
  { name: 'a group', in: { ...DNS, proxyAddress: 'ff02::fb' }, says: '"ff02::fb"' },
  { name: 'IPv4 within IPv6', in: { ...DNS, proxyAddress: '::ffff:10.0.0.1' }, says: '::ffff:10.0.0.1' },
  {
    name: 'a name server of the other family',
    in: { ...DNS, type: DnsType.USER, nameservers: ['2001:db8::53'] },
    says: 'of two families',
  },
  {
    name: 'a name server that is none',
    in: { ...DNS, type: DnsType.USER, nameservers: ['8.8.8.8', '8.8.8'] },
    says: 'nameservers "8.8.8"',
  },
  {
    name: 'too many name servers',
    in: { ...DNS, type: DnsType.USER, nameservers: Array.from({ length: 17 }, (_, i) => `10.0.0.${i}`) },
    says: '17 nameservers',
  },
])('no DNS redirection: $name', ({ in: request, says }) => {
  expect(readDns(request)).toMatchObject({
    ok: false,
    reason: 'InvalidArgument',
    sentence: expect.stringContaining(says) as string,
  });
});

test('bytes that are no message are refused', () => {
  for (const bytes of [Uint8Array.of(0xff), Uint8Array.of(0x08), Uint8Array.of(0x0a, 0x01, 0x00)]) {
    expect(portRuleFromProto(bytes)).toMatchObject({ ok: false, reason: 'InvalidArgument' });
    expect(dnsRuleFromProto(bytes, 0)).toMatchObject({ ok: false, reason: 'InvalidArgument' });
  }
});
