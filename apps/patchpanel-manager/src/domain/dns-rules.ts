import type { UserDns } from '@pp/datapath';

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

/** What a rule is for: lookups of a link, or of the host's own users, in one family. Of all that are for the same, one counts. */
export const purposeOf = (rule: DnsRule): string =>
  rule.type === 'user' ? userPurpose(rule.family) : `${rule.family} ${rule.ifname}`;

export const userPurpose = (family: DnsRule['family']): string => `user ${family}`;

/** Of rules for the same, the oldest first, the one that counts: ARC's before the default one, of two alike the newest. */
export const ruleInForce = (rules: readonly DnsRule[]): DnsRule | undefined =>
  rules.findLast(({ type }) => type === 'arc') ?? rules.at(-1);

/** Of rules for the host's users, each of another family, what the kernel has to know. */
export const userDnsOf = (...rules: readonly (DnsRule | undefined)[]): readonly UserDns[] =>
  rules.flatMap((rule) => {
    if (rule?.type !== 'user') return [];
    const { family, proxy, nameservers } = rule;
    return [{ family, proxy, nameservers }];
  });
