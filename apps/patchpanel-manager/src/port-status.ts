import type { DnsRule } from './domain/dns-rules';
import type { OwnedPortRule } from './domain/port-rules';

/** A port rule; what does not apply to its type is empty, and 0. */
export interface PortStatus {
  readonly type: 'access' | 'lockdown' | 'forwarding';
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** Empty: any. */
  readonly ifname: string;
  /** Empty: any of the host's own. */
  readonly address: string;
  readonly toAddress: string;
  readonly toPort: number;
  readonly owner: number;
}

export function portStatus({ rule, owner }: OwnedPortRule): PortStatus {
  const { type, protocol, port } = rule;
  const common = { type, protocol, port, ifname: '', address: '', toAddress: '', toPort: 0, owner };
  switch (rule.type) {
    case 'access':
      return { ...common, ifname: rule.ifname ?? '' };
    case 'lockdown':
      return common;
    case 'forwarding':
      return {
        ...common,
        ifname: rule.ifname,
        address: rule.address ?? '',
        toAddress: rule.to.address,
        toPort: rule.to.port,
      };
  }
}

/** Where name lookups go; what does not apply to its type is empty. */
export interface DnsStatus {
  readonly type: 'default' | 'arc' | 'user';
  readonly family: 'ipv4' | 'ipv6';
  readonly ifname: string;
  readonly proxy: string;
  readonly nameservers: readonly string[];
  readonly owner: number;
}

export const dnsStatus = (rule: DnsRule): DnsStatus => ({
  type: rule.type,
  family: rule.family,
  ifname: rule.type === 'user' ? '' : rule.ifname,
  proxy: rule.proxy,
  nameservers: rule.type === 'user' ? rule.nameservers : [],
  owner: rule.owner,
});
