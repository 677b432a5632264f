import { SharedMap } from '@pp/base';
import {
  ARC_NETNS,
  arcAddresses,
  canForceForwarding,
  desiredSysctls,
  dnsPart,
  namespaceNames,
  portRulePart,
  uplinksPart,
  vpnAmong,
  withoutIpv6,
  type Desired,
  type Part,
  type Shape,
  type UserDns,
} from '@pp/datapath';
import { userDnsOf, userPurpose, type DnsRule } from './domain/dns-rules';
import { withNeighborRoutes } from './domain/neighbors';
import { neighborsOf, type Guest } from './domain/guest';
import type { OwnedPortRule } from './domain/port-rules';
import { dnsRuleFor, type World } from './domain/world';
import { addressesNear, partOf, uplinksUsedBy, waysOf } from './guest-part';

/** What the kernel should look like in a world; a pure function that remembers, so that a world costs what is new in it. */
export class DesiredState {
  readonly #worlds = new WeakMap<World, Desired>();
  #last: { readonly world: World; readonly parts: Parts } | null = null;
  /** By guest, and what of the world it was made for. */
  readonly #parts = new WeakMap<Guest, { readonly context: string; readonly part: Part }>();
  readonly #portRules = new WeakMap<OwnedPortRule, Part>();
  readonly #dnsRules = new WeakMap<DnsRule, Part>();
  /** By what it is made of. */
  readonly #ipv4Parts = new WeakMap<Part, Part>();
  // What follows from few things that seldom change.
  readonly #uplinks = kept(uplinksPart);
  readonly #shape = kept(shapeOf);
  readonly #userDns = kept(userDnsOf);
  readonly #sysctls = kept((uplinks: World['uplinks'], originals: World['originals']) =>
    desiredSysctls({ uplinks, originals }),
  );

  of(world: World): Desired {
    const known = this.#worlds.get(world);
    if (known !== undefined) return known;
    const desired = this.#make(world);
    this.#worlds.set(world, desired);
    return desired;
  }

  #make(world: World): Desired {
    const { uplinks, pools, sessionUser, localSources, originals } = world;
    const userDns = this.#userDns(
      dnsRuleFor(world, userPurpose('ipv4')),
      dnsRuleFor(world, userPurpose('ipv6')),
    );
    const parts =
      this.#last !== null && isSameNetwork(this.#last.world, world)
        ? this.#partsAfter(this.#last.parts, this.#last.world, world)
        : this.#allParts(world);
    this.#last = { world, parts };
    return {
      shape: this.#shape(uplinks, pools, sessionUser, userDns, localSources, world.vpnLockdown),
      sysctls: this.#sysctls(uplinks, originals),
      parts,
    };
  }

  #allParts(world: World): Parts {
    const parts = new Map([
      [
        'uplinks',
        this.#fitting(this.#uplinks(world.uplinks, world.foreignRule, world.pools.guestPrefixes), world),
      ],
    ]);
    // By forEach: a loop over the pairs of a map makes three objects for each.
    world.guests.forEach((guest, key) => parts.set(key, this.#partOf(guest, world)));
    world.portRules.forEach((owned, key) => parts.set(key, this.#portRulePart(owned, world)));
    world.held.dns.forEach((_keys, purpose) => {
      for (const [key, part] of this.#dnsParts(purpose, world)) parts.set(key, part);
    });
    return SharedMap.of(parts);
  }

  /** `before` those of `from`, whose guests saw the same network. */
  #partsAfter(before: Parts, from: World, to: World): Parts {
    const come: [string, Part][] = []; // BOUNDED: by the world
    for (const [key, guest] of to.guests.beside(from.guests)) come.push([key, this.#partOf(guest, to)]);
    for (const [key, owned] of to.portRules.beside(from.portRules))
      come.push([key, this.#portRulePart(owned, to)]);
    for (const [purpose] of to.held.dns.beside(from.held.dns)) come.push(...this.#dnsParts(purpose, to));
    const gone = from.guests.keysBeside(to.guests);
    const goneRules = from.portRules.keysBeside(to.portRules);
    return before.changed(
      come,
      gone.concat(goneRules, from.held.dns.keysBeside(to.held.dns).map(dnsPartKey)),
    );
  }

  #fitting(part: Part, { withoutIpv6: isIpv4Only }: World): Part {
    if (!isIpv4Only) return part;
    const known = this.#ipv4Parts.get(part) ?? withoutIpv6(part);
    this.#ipv4Parts.set(part, known);
    return known;
  }

  /** One, or none: the host's users are of the table's shape. */
  #dnsParts(purpose: string, world: World): readonly [string, Part][] {
    const rule = dnsRuleFor(world, purpose);
    if (rule === undefined || rule.type === 'user') return [];
    const known = this.#dnsRules.get(rule) ?? dnsPart([rule]);
    this.#dnsRules.set(rule, known);
    return [[dnsPartKey(purpose), this.#fitting(known, world)]];
  }

  #portRulePart(owned: OwnedPortRule, world: World): Part {
    const known = this.#portRules.get(owned) ?? portRulePart(owned.rule);
    this.#portRules.set(owned, known);
    return this.#fitting(known, world);
  }

  #partOf(guest: Guest, world: World): Part {
    return this.#fitting(this.#guestPart(guest, world), world);
  }

  #guestPart(guest: Guest, world: World): Part {
    const used = uplinksUsedBy(guest).map((ifname) =>
      world.uplinks.find((uplink) => uplink.ifname === ifname),
    );
    const ways = waysOf(guest, used, world);
    const reached = used.map((uplink) => (uplink === undefined ? 'gone' : String(uplink.multicast)));
    const near = addressesNear(guest, world.uplinks);
    const context = `${reached.join()} ${String(ways.vpn)} ${ways.mtus.join()} ${near.join()}`;
    const known = this.#parts.get(guest);
    if (known?.context === context) return known.part;
    // That switch waits for the kernel's network lock, so it is left alone until there is an IPv6 address to forward for.
    const forces = canForceForwarding(world) && neighborsOf(guest).length > 0;
    const part = withNeighborRoutes(partOf(guest, used, ways, forces), guest, world.uplinks);
    this.#parts.set(guest, { context, part });
    return part;
  }
}

type Parts = SharedMap<string, Part>;

const dnsPartKey = (purpose: string): string => `dns:${purpose}`;

/** All that parts are made of but guests and rules. */
const isSameNetwork = (a: World, b: World): boolean =>
  a.uplinks === b.uplinks &&
  a.foreignRule === b.foreignRule &&
  a.pools === b.pools &&
  a.originals === b.originals &&
  a.withoutIpv6 === b.withoutIpv6;

/** `make` that is asked again only when one of its inputs is not the one of last time. */
function kept<In extends readonly unknown[], Out>(make: (...inputs: In) => Out): (...inputs: In) => Out {
  let last: { readonly inputs: In; readonly out: Out } | null = null;
  return (...inputs) => {
    if (last === null || !isSame(last.inputs, inputs)) last = { inputs, out: make(...inputs) };
    return last.out;
  };
}

function isSame(before: readonly unknown[], now: readonly unknown[]): boolean {
  for (let i = 0; i < now.length; i++) if (before[i] !== now[i]) return false;
  return true;
}

/** All of the table that is not elements. */
function shapeOf(
  uplinks: World['uplinks'],
  pools: World['pools'],
  sessionUser: World['sessionUser'],
  userDns: readonly UserDns[],
  localSources: World['localSources'],
  lockdown: World['vpnLockdown'],
): Shape {
  const vpn = vpnAmong(uplinks)?.ifname;
  return {
    uplinks: shapeUplinks(uplinks),
    guestPrefixes: pools.guestPrefixes,
    arcAddresses: arcAddresses(pools),
    sessionUser,
    userDns,
    ...(vpn === undefined ? {} : { vpn }),
    ...(lockdown ? { lockdown } : {}),
    ...(localSources === null ? {} : { localSources }),
  };
}

/** Whatever their rank: another default route must not load the table anew. */
const shapeUplinks = (uplinks: World['uplinks']): Shape['uplinks'] =>
  uplinks.map(({ ifname, ifindex }) => ({ ifname, ifindex })).toSorted((a, b) => a.ifindex - b.ifindex);

/** Names under /run/netns that a guest has. */
export function netnsNamesOf(guest: Guest): readonly string[] {
  if (guest.kind === 'namespace') return [namespaceNames(guest.number).netns];
  return guest.kind === 'arc' && guest.container !== null ? [ARC_NETNS] : [];
}
