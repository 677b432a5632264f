import type { DnsRedirect, UserDns } from '@pp/datapath';

/** Where name lookups go, for as long as a lifeline lives (spec 3.9). */
export type DnsRule = (
  | {
      readonly type: 'default' | 'arc';
      readonly family: 'ipv4' | 'ipv6';
      /** The guest's link. */
      readonly ifname: string;
      readonly proxy: string;
    }
  | ({ readonly type: 'user' } & UserDns)
) & {
  /** uid of the caller. */
  readonly owner: number;
};

/** The key of the world's N-th redirection, in the journal and for its lifeline. */
export const dnsRuleKey = (number: number): string => `${DNS_RULE_PREFIX}${number}`;

export const dnsRuleNumber = (key: string): number => Number(key.slice(DNS_RULE_PREFIX.length));

/** No guest's key begins so. */
export const DNS_RULE_PREFIX = 'dns:';

/** What counts for each link and family: ARC's rule before the default one, of two alike the newest. */
export function dnsRedirectsOf(rules: Iterable<DnsRule>): readonly DnsRedirect[] {
  const all = [...rules].flatMap((rule) => (rule.type === 'user' ? [] : [rule]));
  const inForce = new Map<string, DnsRedirect>();
  for (const type of ['default', 'arc'] as const) {
    for (const rule of all.filter((each) => each.type === type)) {
      const { ifname, family, proxy } = rule;
      inForce.set(`${family} ${ifname}`, { ifname, family, proxy });
    }
  }
  return [...inForce.values()];
}

/** What counts for the host's own users: of each family the newest. */
export function userDnsOf(rules: Iterable<DnsRule>): readonly UserDns[] {
  const inForce = new Map<string, UserDns>();
  for (const rule of rules) {
    if (rule.type !== 'user') continue;
    const { family, proxy, nameservers } = rule;
    inForce.set(family, { family, proxy, nameservers });
  }
  return [...inForce.values()];
}
