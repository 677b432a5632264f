import { attribute, encode, optional, stringAttribute, u32host, u8 } from '../codec/parts';
import { Attributes } from '../codec/attributes';
import { decodePrefix, encodePrefix, familyName, familyNumber } from '../codec/ip';
import type { Family } from '@pp/wire';
import { MalformedError } from '../codec/malformed';
import type { NetlinkMessage } from '../codec/message';
import { NLM_F_CREATE, NLM_F_EXCL } from '../codec/message';
import { readU32host, readU8 } from '../codec/numbers';
import type { NetlinkRequest, Query } from '../request';
import { RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from './types';

/** A rule that looks up a table; what is null matches everything. */
export interface Rule {
  readonly family: Family;
  readonly priority: number;
  readonly fwmark: { readonly value: number; readonly mask: number } | null;
  readonly iif: string | null;
  readonly oif: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly table: number;
  /** Routes with a prefix no longer than this are ignored. */
  readonly suppressPrefixLength: number | null;
  /** FRA_PROTOCOL: who made it. */
  readonly protocol: number;
  /** It is met by what does not match; ours never are. */
  readonly inverted?: true;
}

// linux/fib_rules.h
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_PROTOCOL = 21;
const FIB_RULE_HDR = 12;
const FR_ACT_TO_TBL = 1;
const FIB_RULE_INVERT = 0x2;
const NO_SUPPRESSION = 0xffffffff;

/** EEXIST when there is one that is the same in all but its protocol. */
export const addRule = (rule: Rule): NetlinkRequest => ({
  label: () => `rule.add ${words(rule)}`,
  type: RTM_NEWRULE,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: encodeRule(rule),
});

/** ENOENT when there is none that is the same in all that is said. */
export const delRule = (rule: Rule): NetlinkRequest => ({
  label: () => `rule.del ${words(rule)}`,
  type: RTM_DELRULE,
  flags: 0,
  body: encodeRule(rule),
});

/** Of both families; rules with other actions than a lookup are left out. */
export const dumpRules = (): Query<Rule> => ({
  label: () => 'rule.dump',
  type: RTM_GETRULE,
  flags: 0,
  body: new Uint8Array(FIB_RULE_HDR),
  decode: decodeRule,
});

/** struct fib_rule_hdr: u8 family, dst_len, src_len, tos, table, two reserved, action; u32 flags. */
function encodeRule(rule: Rule): Uint8Array {
  const from = rule.from === null ? null : encodePrefix(rule.from);
  const to = rule.to === null ? null : encodePrefix(rule.to);
  return encode(
    // the table's number is in FRA_TABLE, where it may be above 255
    u8(familyNumber(rule.family), to?.length ?? 0, from?.length ?? 0, 0, 0, 0, 0, FR_ACT_TO_TBL),
    u32host(0),
    attribute(FRA_PRIORITY, u32host(rule.priority)),
    optional(to, ({ address }) => attribute(FRA_DST, address)),
    optional(from, ({ address }) => attribute(FRA_SRC, address)),
    optional(rule.iif, (name) => stringAttribute(FRA_IIFNAME, name)),
    optional(rule.oif, (name) => stringAttribute(FRA_OIFNAME, name)),
    optional(rule.fwmark, ({ value }) => attribute(FRA_FWMARK, u32host(value))),
    optional(rule.fwmark, ({ mask }) => attribute(FRA_FWMASK, u32host(mask))),
    optional(rule.suppressPrefixLength, (length) => attribute(FRA_SUPPRESS_PREFIXLEN, u32host(length))),
    attribute(FRA_TABLE, u32host(rule.table)),
    attribute(FRA_PROTOCOL, u8(rule.protocol)),
  );
}

/** null: not an Internet rule, or not a lookup. Throws MalformedError. */
export function decodeRule({ type, body }: NetlinkMessage): Rule | null {
  if (type !== RTM_NEWRULE && type !== RTM_DELRULE) return null;
  if (body.length < FIB_RULE_HDR) throw new MalformedError(`rule message of ${body.length} bytes`);
  const family = familyName(readU8(body, 0));
  if (family === null || readU8(body, 7) !== FR_ACT_TO_TBL) return null;
  const attributes = new Attributes(body, FIB_RULE_HDR);
  const prefix = (at: number, lengthAt: number): string | null =>
    attributes.has(at) ? decodePrefix(family, attributes.bytes(at), readU8(body, lengthAt)) : null;
  const suppress = attributes.u32host(FRA_SUPPRESS_PREFIXLEN) ?? NO_SUPPRESSION;
  return {
    family,
    priority: attributes.u32host(FRA_PRIORITY) ?? 0,
    fwmark: fwmark(attributes.u32host(FRA_FWMARK), attributes.u32host(FRA_FWMASK)),
    iif: attributes.string(FRA_IIFNAME),
    oif: attributes.string(FRA_OIFNAME),
    from: prefix(FRA_SRC, 2),
    to: prefix(FRA_DST, 1),
    table: attributes.u32host(FRA_TABLE) ?? readU8(body, 4),
    suppressPrefixLength: suppress === NO_SUPPRESSION ? null : suppress,
    protocol: attributes.u8(FRA_PROTOCOL) ?? 0,
    ...((readU32host(body, 8) & FIB_RULE_INVERT) === 0 ? {} : { inverted: true }),
  };
}

/** The kernel leaves out a mark of zero, and sends a mask whenever there is either. */
const fwmark = (value: number | null, mask: number | null): Rule['fwmark'] =>
  value === null && mask === null ? null : { value: value ?? 0, mask: mask ?? 0xffffffff };

const words = (rule: Rule): string =>
  [
    `${rule.family} priority ${rule.priority}`,
    ...(rule.from === null ? [] : [`from ${rule.from}`]),
    ...(rule.to === null ? [] : [`to ${rule.to}`]),
    ...(rule.iif === null ? [] : [`iif ${rule.iif}`]),
    ...(rule.oif === null ? [] : [`oif ${rule.oif}`]),
    ...(rule.fwmark === null ? [] : [`fwmark ${hex(rule.fwmark.value)}/${hex(rule.fwmark.mask)}`]),
    `lookup ${rule.table}`,
  ].join(' ');

const hex = (value: number): string => `0x${value.toString(16)}`;
