/**
 * Walks a forwarded packet through somebody else's chain, in three values: a rule whose matches are all known to be true decides, one with
 * a match known to be false is passed, and of the rest it is remembered that they may.
 */
import { cidrContains, parseCidr, type Cidr } from '@pp/wire';
import { isObject, list, objects, word } from '../json';
import type { FirewallChain, FirewallRule, Statement } from './ruleset';

/** Of a guest's connection, which is TCP: pings alone are let through by many. */
export interface ForwardedPacket {
  readonly iifname: string;
  readonly oifname: string;
  /** An answer; else the first packet. */
  readonly established: boolean;
  /** Whence it comes, as "100.115.92.0/23"; absent: that is not known, or it is not IPv4. */
  readonly source?: string;
}

export interface WalkEnd {
  readonly verdict: 'accept' | 'drop';
  /** A rule that was passed may have accepted it. */
  readonly maybe: boolean;
  /** What dropped it, in words. */
  readonly by: string;
}

type Truth = boolean | undefined;

type Step = { readonly verdict: 'accept' | 'drop'; readonly by: string } | 'return' | 'next';

/** BOUNDED: the kernel's own limit of jumps, NFT_JUMP_STACK_SIZE. */
const MAX_JUMPS = 16;
/** BOUNDED: of rules looked at for one packet; what lies behind may accept. */
const MAX_RULES = 100_000;

/** Through a base chain; `all` holds the chains that it may jump to. */
export function walk(base: FirewallChain, all: readonly FirewallChain[], packet: ForwardedPacket): WalkEnd {
  const walker = new Walker(all, packet);
  const step = walker.through(base, 0);
  if (typeof step !== 'string') return { ...step, maybe: walker.maybe };
  return { verdict: base.policy === 'drop' ? 'drop' : 'accept', by: 'its policy', maybe: walker.maybe };
}

class Walker {
  maybe = false;
  #rules = 0;

  constructor(
    private readonly all: readonly FirewallChain[],
    private readonly packet: ForwardedPacket,
  ) {}

  through(chain: FirewallChain, depth: number): Step {
    for (const rule of chain.rules) {
      const step = this.#take(rule, chain, depth);
      if (step === 'return') return 'next';
      if (step !== 'next') return step;
    }
    return 'next';
  }

  #take(rule: FirewallRule, chain: FirewallChain, depth: number): Step {
    if (++this.#rules > MAX_RULES) {
      this.maybe = true;
      return 'return';
    }
    const truths = rule.statements.map((statement) => truthOf(statement, this.packet));
    if (truths.includes(false)) return 'next';
    const step = this.#verdictOf(rule, chain, depth);
    if (!truths.includes(undefined)) return step;
    if (step === 'return' || (typeof step !== 'string' && step.verdict === 'accept')) this.maybe = true;
    return 'next';
  }

  #verdictOf({ statements, handle }: FirewallRule, chain: FirewallChain, depth: number): Step {
    const by = `its rule with handle ${handle}${inChain(chain, depth)}`;
    for (const statement of statements) {
      const step = this.#verdictIn(this.#chosen(statement), chain, depth, by);
      if (step !== 'next') return step;
    }
    return 'next';
  }

  #verdictIn(statement: Statement, chain: FirewallChain, depth: number, by: string): Step {
    if ('accept' in statement) return { verdict: 'accept', by };
    if (isDrop(statement)) return { verdict: 'drop', by };
    if ('return' in statement) return 'return';
    const { jump, goto } = statement;
    if (jump !== undefined) return this.#follow(jump, chain, depth);
    if (goto === undefined) return 'next';
    const step = this.#follow(goto, chain, depth);
    return step === 'next' ? 'return' : step;
  }

  /** Of a verdict map what it has for this packet; any other statement is what it is. */
  #chosen(statement: Statement): Statement {
    const { vmap } = statement;
    if (!isObject(vmap)) return statement;
    const value = valueOf(vmap['key'], this.packet);
    const entries = isObject(vmap['data']) ? vmap['data']['set'] : null;
    const pairs = Array.isArray(entries) ? (entries as readonly unknown[]).filter(isPair) : null;
    if (value === null || pairs === null) {
      this.maybe ||= pairs === null || pairs.some(([, verdict]) => 'accept' in verdict);
      return {};
    }
    return pairs.find(([key]) => fits(value, key))?.[1] ?? {};
  }

  #follow(to: unknown, from: FirewallChain, depth: number): Step {
    const name = isObject(to) ? to['target'] : undefined;
    const next = this.all.find(
      (chain) => chain.name === name && chain.table === from.table && chain.family === from.family,
    );
    return next === undefined || depth >= MAX_JUMPS ? 'next' : this.through(next, depth + 1);
  }
}

const isPair = (entry: unknown): entry is readonly [string, Statement] =>
  Array.isArray(entry) && typeof entry[0] === 'string' && isObject(entry[1]);

const inChain = ({ name }: FirewallChain, depth: number): string => (depth === 0 ? '' : ` in ${name}`);

const isDrop = (statement: Statement): boolean =>
  'drop' in statement || 'reject' in statement || isTarget(statement, ['REJECT', 'DROP']);

function isTarget({ xt }: Statement, names: readonly string[]): boolean {
  return isObject(xt) && xt['type'] === 'target' && names.includes(String(xt['name']));
}

/** Of a statement that matches; others are true. */
function truthOf(statement: Statement, packet: ForwardedPacket): Truth {
  const { match, xt } = statement;
  if (isObject(match)) return matchTruth(match, packet);
  if (isObject(xt)) return xtTruth(xt, packet);
  return ['limit', 'quota', 'ct count'].some((word) => word in statement) ? undefined : true;
}

/** nft does not tell what an extension of iptables matches; the state is asked for to let answers in. */
function xtTruth({ type, name }: Statement, { established }: ForwardedPacket): Truth {
  if (type !== 'match' || name === 'comment') return true;
  return name === 'conntrack' || name === 'state' ? established : undefined;
}

function matchTruth({ op, left, right }: Statement, packet: ForwardedPacket): Truth {
  if (isOfOtherProtocol(left)) return false;
  if (isObject(left) && keyOf(left) === 'ip saddr') return sourceTruth(op, right, packet);
  const value = valueOf(left, packet);
  if (value === null) return undefined;
  const wanted = alternatives(right);
  if (wanted === null) return undefined;
  const holds = wanted.some((each) => fits(value, each));
  return op === '!=' ? !holds : holds;
}

/** Known where all such sources are among the wanted. */
function sourceTruth(op: unknown, right: unknown, { source }: ForwardedPacket): Truth {
  const inner = source === undefined ? null : parseCidr(source);
  if (inner === null || !prefixesIn(right).some((prefix) => cidrContains(prefix, inner))) return undefined;
  return op !== '!=';
}

function prefixesIn(right: unknown): readonly Cidr[] {
  const all = isObject(right) && 'set' in right ? list(right['set']) : [right];
  return objects(all).flatMap(({ prefix }) =>
    isObject(prefix) ? (parseCidr(`${word(prefix['addr'])}/${String(prefix['len'])}`) ?? []) : [],
  );
}

/** A field that only packets of another protocol than TCP have. */
const isOfOtherProtocol = (left: unknown): boolean =>
  isObject(left) && /^(udp|udplite|sctp|dccp|icmp|icmpv6|igmp|esp|ah) /.test(keyOf(left));

/** "meta iifname", "ct state", "ip protocol". */
function keyOf({ meta, ct, payload }: Statement): string {
  if (isObject(meta)) return `meta ${word(meta['key'])}`;
  if (isObject(ct)) return `ct ${word(ct['key'])}`;
  return isObject(payload) ? `${word(payload['protocol'])} ${word(payload['field'])}` : '';
}

/** null: it is not known. */
function valueOf(left: unknown, { iifname, oifname, established }: ForwardedPacket): string | null {
  if (!isObject(left)) return null;
  switch (keyOf(left)) {
    case 'meta iifname':
    case 'meta iif':
      return iifname;
    case 'meta oifname':
    case 'meta oif':
      return oifname;
    case 'ct state':
      return established ? 'established' : 'new';
    case 'ct status':
      return established ? null : 'none';
    case 'meta l4proto':
    case 'ip protocol':
    case 'ip6 nexthdr':
      return 'tcp';
    default:
      return null;
  }
}

function alternatives(right: unknown): readonly string[] | null {
  const list: unknown = isObject(right) ? right['set'] : right;
  const all: readonly unknown[] = Array.isArray(list) ? (list as readonly unknown[]) : [list];
  return all.every((each) => typeof each === 'string' && !each.startsWith('@'))
    ? (all as readonly string[])
    : null;
}

/** "vmtap*" stands for all that begin so. */
const fits = (value: string, wanted: string): boolean =>
  wanted.endsWith('*') ? value.startsWith(wanted.slice(0, -1)) : value === wanted;
