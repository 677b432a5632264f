import type { Element, Part } from '../desired';
import { SETS } from '../nft/sets';

/** A port rule of ModifyPortRule (spec/patchpanel.md 10), with all values checked. Ports are 1 to 65535. */
export type PortRule =
  /** Guests may use a port of the host. `ifname` null: whichever interface they come by. */
  | {
      readonly type: 'access';
      readonly protocol: 'tcp' | 'udp';
      readonly ifname: string | null;
      readonly port: number;
    }
  /** On loopback, only the session's user reaches the port. */
  | { readonly type: 'lockdown'; readonly protocol: 'tcp' | 'udp'; readonly port: number }
  /** What comes by `ifname` for the port goes elsewhere. `address`: of the same family; null: whichever of the host's own it comes to. */
  | {
      readonly type: 'forwarding';
      readonly protocol: 'tcp' | 'udp';
      readonly ifname: string;
      readonly address: string | null;
      readonly port: number;
      readonly to: { readonly address: string; readonly port: number };
    };

/** By the address that it leads to. */
export const isIpv6Forwarding = ({ to }: Extract<PortRule, { type: 'forwarding' }>): boolean =>
  to.address.includes(':');

/** A rule is one element, so it costs a packet nothing. */
export const portRulePart = (rule: PortRule): Part => elementsPart([portRuleElement(rule)]);

/** Where the name lookups of one guest link go. */
export interface DnsRedirect {
  readonly ifname: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly proxy: string;
}

/** One redirection for each link and family. */
export const dnsPart = (redirects: readonly DnsRedirect[]): Part =>
  elementsPart(
    redirects.map(({ ifname, family, proxy }) => ({
      set: (family === 'ipv4' ? SETS.dnsRedirect4 : SETS.dnsRedirect6).name,
      key: [ifname],
      data: [proxy],
    })),
  );

function portRuleElement(rule: PortRule): Element {
  const what = [rule.protocol, String(rule.port)];
  switch (rule.type) {
    case 'access':
      return rule.ifname === null
        ? { set: SETS.openPorts.name, key: what }
        : { set: SETS.openPortsOn.name, key: [rule.ifname, ...what] };
    case 'lockdown':
      return { set: SETS.lockedPorts.name, key: what };
    case 'forwarding': {
      const data = [rule.to.address, String(rule.to.port)];
      const isIpv6 = isIpv6Forwarding(rule);
      return rule.address === null
        ? { set: (isIpv6 ? SETS.portForwards6 : SETS.portForwards).name, key: [rule.ifname, ...what], data }
        : {
            set: (isIpv6 ? SETS.portForwardsAt6 : SETS.portForwardsAt).name,
            key: [rule.ifname, rule.address, ...what],
            data,
          };
    }
  }
}

const elementsPart = (elements: readonly Element[]): Part => ({
  netns: [],
  links: [],
  addresses: [],
  routes: [],
  rules: [],
  elements,
  linkSysctls: [],
});
