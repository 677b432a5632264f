import { accept, refuse, type Checked } from '@pp/base';
import type { PortRule } from '@pp/datapath';
import {
  decodeStrict,
  ModifyPortRuleRequestOperation as Operation,
  ModifyPortRuleRequestProtocol as Protocol,
  ModifyPortRuleRequestRuleType as PortRuleType,
  SetDnsRedirectionRuleRequestRuleType as DnsRuleType,
  type Messages,
} from '@pp/proto';
import { isLinkLocalIpv6, parseIpv4, parseIpv6 } from '@pp/wire';
import type { DnsRule } from '../domain/dns-rules';
import { quoted } from '../domain/quoted';

/** The reader of requests about ports and name lookups: what leaves here has checked values. */

export interface PortRuleBody {
  readonly op: 'create' | 'delete';
  readonly rule: PortRule;
}

type PortRequest = Messages['ModifyPortRuleRequest'];

export function portRuleFromProto(bytes: Uint8Array): Checked<PortRuleBody> {
  const decoded = decodeStrict('ModifyPortRuleRequest', bytes);
  if (!decoded.ok) return decoded;
  const request = decoded.value;
  const op = oneOf('op', request.op, { CREATE: Operation.CREATE, DELETE: Operation.DELETE });
  if (!op.ok) return op;
  const rule = portRule(request);
  return rule.ok ? accept({ op: op.value === 'CREATE' ? 'create' : 'delete', rule: rule.value }) : rule;
}

function portRule(request: PortRequest): Checked<PortRule> {
  const { ACCESS, LOCKDOWN, FORWARDING } = PortRuleType;
  const type = oneOf('type', request.type, { ACCESS, LOCKDOWN, FORWARDING });
  if (!type.ok) return type;
  const proto = oneOf('proto', request.proto, { TCP: Protocol.TCP, UDP: Protocol.UDP });
  if (!proto.ok) return proto;
  const port = portNumber('input_dst_port', request.inputDstPort);
  if (!port.ok) return port;
  const what = { protocol: proto.value === 'TCP' ? 'tcp' : 'udp', port: port.value } as const;
  switch (type.value) {
    case 'ACCESS': {
      const ifname = optionalIfname(request.inputIfname);
      return ifname.ok ? accept({ type: 'access', ...what, ifname: ifname.value }) : ifname;
    }
    case 'LOCKDOWN':
      return accept({ type: 'lockdown', ...what });
    case 'FORWARDING':
      return forwarding(request, what);
  }
}

function forwarding(
  { inputIfname, inputDstIp, dstIp, dstPort }: PortRequest,
  what: Pick<PortRule, 'protocol' | 'port'>,
): Checked<PortRule> {
  const ifname = incomingIfname('input_ifname', inputIfname);
  if (!ifname.ok) return ifname;
  const to = hostAddress('dst_ip', dstIp, TARGET_EXAMPLES);
  if (!to.ok) return to;
  const address = inputDstIp === '' ? accept(null) : hostAddress('input_dst_ip', inputDstIp, TARGET_EXAMPLES);
  if (!address.ok) return address;
  if (address.value !== null && address.value.family !== to.value.family)
    return refuse(
      'InvalidArgument',
      `input_dst_ip ${inputDstIp} and dst_ip ${dstIp} are of two families: one is not translated into the other`,
    );
  const port = portNumber('dst_port', dstPort);
  if (!port.ok) return port;
  return accept({
    type: 'forwarding',
    ...what,
    ifname: ifname.value,
    address: address.value?.address ?? null,
    to: { address: to.value.address, port: port.value },
  });
}

/** More would make the rule that takes them in turn too long to read. */
const MOST_NAMESERVERS = 16;

/** `owner`: uid of the caller. */
export function dnsRuleFromProto(bytes: Uint8Array, owner: number): Checked<DnsRule> {
  const decoded = decodeStrict('SetDnsRedirectionRuleRequest', bytes);
  if (!decoded.ok) return decoded;
  const { inputIfname, proxyAddress, nameservers } = decoded.value;
  const { DEFAULT, ARC, USER } = DnsRuleType;
  const type = oneOf('type', decoded.value.type, { DEFAULT, ARC, USER });
  if (!type.ok) return type;
  const proxy = hostAddress('proxy_address', proxyAddress, PROXY_EXAMPLES);
  if (!proxy.ok) return proxy;
  const { family, address } = proxy.value;
  if (type.value === 'USER') {
    const servers = nameserversOf(nameservers, family);
    return servers.ok
      ? accept({ type: 'user', family, proxy: address, nameservers: servers.value, owner })
      : servers;
  }
  const ifname = incomingIfname('input_ifname', inputIfname);
  if (!ifname.ok) return ifname;
  return accept({
    type: type.value === 'ARC' ? 'arc' : 'default',
    family,
    ifname: ifname.value,
    proxy: address,
    owner,
  });
}

function nameserversOf(texts: readonly string[], family: 'ipv4' | 'ipv6'): Checked<readonly string[]> {
  if (texts.length > MOST_NAMESERVERS)
    return refuse(
      'InvalidArgument',
      `${texts.length} nameservers are too many: name up to ${MOST_NAMESERVERS}`,
    );
  const servers: string[] = [];
  for (const text of texts) {
    const server = hostAddress('nameservers', text, PROXY_EXAMPLES);
    if (!server.ok) return server;
    if (server.value.family !== family)
      return refuse(
        'InvalidArgument',
        `nameserver ${text} and proxy_address are of two families: set one rule for IPv4 and one for IPv6`,
      );
    servers.push(server.value.address);
  }
  return accept(servers);
}

/** The name of an enum's value; 0 and what the enum does not have are refused. */
function oneOf<Name extends string>(
  field: string,
  value: number,
  values: Readonly<Record<Name, number>>,
): Checked<Name> {
  const names = Object.keys(values) as Name[];
  const name = names.find((each) => values[each] === value);
  if (name !== undefined) return accept(name);
  const choice = names.map((each) => `${each} (${values[each]})`).join(', ');
  return refuse(
    'InvalidArgument',
    `${field} ${value === 0 ? 'is missing' : `${value} is unknown`}: use ${choice}`,
  );
}

function portNumber(field: string, port: number): Checked<number> {
  if (port >= 1 && port <= 65535) return accept(port);
  return refuse('InvalidArgument', `${field} ${port} is no port: use 1 to 65535`);
}

const optionalIfname = (text: string): Checked<string | null> =>
  text === '' ? accept(null) : portIfname('input_ifname', text);

/** Where packets come in from outside this host. */
function incomingIfname(field: string, text: string): Checked<string> {
  if (text === '')
    return refuse('InvalidArgument', `${field} is missing: name the interface that packets come by`);
  if (text === 'lo')
    return refuse('InvalidArgument', `${field} "lo" brings nothing from outside: name another interface`);
  return portIfname(field, text);
}

/** The reference's rule (spec 10), and `_`. */
function portIfname(field: string, text: string): Checked<string> {
  if (text.length <= 15 && /^\w([\w.-]*\w)?$/.test(text)) return accept(text);
  return refuse(
    'InvalidArgument',
    `${field} ${quoted(text)} is no interface name: 1 to 15 letters, digits, "_", "-" and ".", neither "-" nor "." at an end`,
  );
}

const TARGET_EXAMPLES = '100.115.92.2 or 2001:db8::2';
const PROXY_EXAMPLES = '100.115.92.130 or fd00::53';

/** `examples`: for whoever wrote something else. */
function hostAddress(
  field: string,
  text: string,
  examples: string,
): Checked<{ readonly family: 'ipv4' | 'ipv6'; readonly address: string }> {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null && isUsualIpv4(ipv4)) return accept({ family: 'ipv4', address: ipv4 });
  const ipv6 = parseIpv6(text);
  if (ipv6 !== null && isUsualIpv6(ipv6)) return accept({ family: 'ipv6', address: ipv6 });
  return refuse(
    'InvalidArgument',
    text === ''
      ? `${field} is missing: write an address such as ${examples}`
      : `${field} ${quoted(text)} is no address of a host: write one such as ${examples}`,
  );
}

/** Not this network, loopback, multicast, reserved or broadcast (RFC 6890). */
const isUsualIpv4 = (address: string): boolean => {
  const first = Number(address.split('.')[0]);
  return first !== 0 && first !== 127 && first < 224;
};

/** Not unspecified, loopback, multicast or mapped IPv4; a link-local address would need its link beside it. */
const isUsualIpv6 = (address: NonNullable<ReturnType<typeof parseIpv6>>): boolean =>
  !/^(::1?$|ff|::ffff:.*\.)/.test(address) && !isLinkLocalIpv6(address);
