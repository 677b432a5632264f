import { SharedMap } from '@pp/base';
import { MAIN_TABLE, type Desired, type Part } from '@pp/datapath';
import { cidrContains, hostCidr, isLinkLocalIpv6, parseCidr } from '@pp/wire';
import type { DatapathLoss } from '@pp/ports';
import { count } from './count';

/** What must be looked at and put back: what is in the table, the table as if it were not there, all but the table, or everything. */
export type Damage = 'none' | 'table' | 'new table' | 'network' | 'all';

/** What is lost together is put back together, and who takes one away again and again keeps only that waiting. */
export type Area = 'table' | 'guests' | 'host';

/** `guests`: what goes with a guest's link, which root in its namespace can take away as often as he likes. */
export function areaOf(loss: DatapathLoss, guestPrefixes: readonly string[]): Area {
  switch (loss.on) {
    case 'table':
    case 'edit':
      return 'table';
    case 'link':
      return 'guests';
    case 'address':
      return isOfHost(loss.cidr, guestPrefixes) ? 'host' : 'guests';
    case 'route':
      return loss.table === MAIN_TABLE ? 'guests' : 'host';
    case 'rule':
    case 'uplink':
    case 'unknown':
      return 'host';
  }
}

/** Judges losses one after another; remembers what was wanted, so that each costs what is new in it. */
export class LossJudge {
  readonly #wanted = new WantedThings();

  /** Of what went, the part that is still wanted; what we took away ourselves is wanted no more. */
  damageOf(losses: readonly DatapathLoss[], want: Desired): Damage {
    return losses.map((loss) => this.#damageBy(loss, want)).reduce(worse, 'none');
  }

  #damageBy(loss: DatapathLoss, want: Desired): Damage {
    const ofNetwork = (isDamage: boolean): Damage => (isDamage ? 'network' : 'none');
    const isWanted = (thing: string): boolean => this.#wanted.of(want.parts).has(thing);
    switch (loss.on) {
      case 'table':
        return want.shape === null ? 'none' : 'table';
      case 'edit':
        return want.shape === null ? 'none' : loss.adds ? 'new table' : 'table';
      case 'link':
        return ofNetwork(isWanted(linkText(loss)));
      case 'address':
        return ofNetwork(isWanted(addressText(loss)) || isOfHost(loss.cidr, want.shape?.guestPrefixes ?? []));
      case 'route':
        return ofNetwork(isWanted(routeText(loss)));
      case 'rule':
        return ofNetwork(isWanted(ruleText(loss)));
      case 'uplink':
        return 'network';
      case 'unknown':
        return 'all';
    }
  }
}

/** Texts of what parts want, kept from one question to the next. */
class WantedThings {
  #parts: Desired['parts'] = SharedMap.of();
  /** How many want it. BOUNDED: by the parts. */
  readonly #counts = new Map<string, number>();

  of(parts: Desired['parts']): ReadonlyMap<string, number> {
    for (const [, part] of this.#parts.beside(parts))
      for (const thing of thingsOf(part)) count(this.#counts, thing, -1);
    for (const [, part] of parts.beside(this.#parts))
      for (const thing of thingsOf(part)) count(this.#counts, thing, 1);
    this.#parts = parts;
    return this.#counts;
  }
}

const thingsOf = ({ links, addresses, routes, rules }: Part): readonly string[] => [
  ...links.map(linkText),
  ...addresses.map(addressText),
  ...routes.map(routeText),
  ...rules.map(ruleText),
];

const linkText = ({ ifname }: { readonly ifname: string }): string => `link ${ifname}`;

const addressText = ({ cidr }: { readonly cidr: string }): string => `address ${cidr}`;

const routeText = ({ dst, table }: { readonly dst: string; readonly table: number }): string =>
  `route ${dst} ${table}`;

const ruleText = ({ family, priority }: { readonly family: string; readonly priority: number }): string =>
  `rule ${family} ${priority}`;

/** Neither a guest's nor one that the kernel makes: routes may have had it as their source. */
function isOfHost(cidr: string, guestPrefixes: readonly string[]): boolean {
  const parsed = parseCidr(cidr);
  if (parsed === null || (parsed.family === 'ipv6' && isLinkLocalIpv6(parsed.address))) return false;
  const own = guestPrefixes.flatMap((prefix) => parseCidr(prefix) ?? []);
  return !own.some((prefix) => cidrContains(prefix, hostCidr(parsed.address)));
}

function worse(a: Damage, b: Damage): Damage {
  if (a === b || b === 'none') return a;
  if (a === 'none') return b;
  return isOfTable(a) && isOfTable(b) ? 'new table' : 'all';
}

const isOfTable = (damage: Damage): boolean => damage === 'table' || damage === 'new table';
