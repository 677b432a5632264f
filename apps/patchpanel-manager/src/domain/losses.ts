import type { Desired, Part } from '@pp/datapath';
import { cidrContains, hostCidr, isLinkLocalIpv6, parseCidr } from '@pp/wire';
import type { DatapathLoss } from '@pp/ports';

/** What must be looked at and put back: what is in the table, the table as if it were not there, all but the table, or everything. */
export type Damage = 'none' | 'table' | 'new table' | 'network' | 'all';

/** Of what went, the part that is still wanted; what we took away ourselves is wanted no more. */
export function damageOf(losses: readonly DatapathLoss[], want: Desired): Damage {
  const wanted = new WantedThings(want);
  return losses.map((loss) => damageBy(loss, want, wanted)).reduce(worse, 'none');
}

function damageBy(loss: DatapathLoss, want: Desired, wanted: WantedThings): Damage {
  switch (loss.on) {
    case 'table':
      return want.shape === null ? 'none' : 'table';
    case 'edit':
      return want.shape === null ? 'none' : loss.adds ? 'new table' : 'table';
    case 'link':
      return wanted.links.has(loss.ifname) ? 'network' : 'none';
    case 'address':
      return wanted.addresses.has(loss.cidr) || isOfHost(loss.cidr, want) ? 'network' : 'none';
    case 'route':
      return wanted.routes.has(routeKey(loss)) ? 'network' : 'none';
    case 'rule':
      return wanted.rules.has(ruleKey(loss)) ? 'network' : 'none';
    case 'uplink':
      return 'network';
    case 'unknown':
      return 'all';
  }
}

/** Made on demand: most losses are of one kind. */
class WantedThings {
  readonly #want: Desired;
  readonly #sets = new Map<string, ReadonlySet<string>>();

  constructor(want: Desired) {
    this.#want = want;
  }

  get links(): ReadonlySet<string> {
    return this.#of('links', ({ links }) => links.map(({ ifname }) => ifname));
  }

  get addresses(): ReadonlySet<string> {
    return this.#of('addresses', ({ addresses }) => addresses.map(({ cidr }) => cidr));
  }

  get routes(): ReadonlySet<string> {
    return this.#of('routes', ({ routes }) => routes.map(routeKey));
  }

  get rules(): ReadonlySet<string> {
    return this.#of('rules', ({ rules }) => rules.map(ruleKey));
  }

  #of(what: string, keys: (part: Part) => readonly string[]): ReadonlySet<string> {
    const known = this.#sets.get(what) ?? new Set([...this.#want.parts.values()].flatMap(keys));
    this.#sets.set(what, known);
    return known;
  }
}

const routeKey = ({ dst, table }: { readonly dst: string; readonly table: number }): string =>
  `${dst} ${table}`;

const ruleKey = ({ family, priority }: { readonly family: string; readonly priority: number }): string =>
  `${family} ${priority}`;

/** Neither a guest's nor one that the kernel makes: routes may have had it as their source. */
function isOfHost(cidr: string, { shape }: Desired): boolean {
  const parsed = parseCidr(cidr);
  if (parsed === null || (parsed.family === 'ipv6' && isLinkLocalIpv6(parsed.address))) return false;
  const own = (shape?.guestPrefixes ?? []).flatMap((prefix) => parseCidr(prefix) ?? []);
  return !own.some((prefix) => cidrContains(prefix, hostCidr(parsed.address)));
}

function worse(a: Damage, b: Damage): Damage {
  if (a === b || b === 'none') return a;
  if (a === 'none') return b;
  return isOfTable(a) && isOfTable(b) ? 'new table' : 'all';
}

const isOfTable = (damage: Damage): boolean => damage === 'table' || damage === 'new table';
