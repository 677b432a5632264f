import { causeChain, KernelError, millis, type Clock, type Logger } from '@pp/base';
import { namespaceNames } from '@pp/datapath';
import type { GuestIpv6 } from '@pp/ports';
import { formatCidr, isLinkLocalIpv6, networkOf, parseCidr } from '@pp/wire';
import { forwardingChange, forwardingOfGuest } from './domain/forwarding';
import { guestKey, type Namespace } from './domain/guest';
import type { Uplink } from './domain/uplink';
import { guestsThatDiffer, type World } from './domain/world';
import type { Observer } from './reconciler';

/** From a new upstream to the guest's solicitation, spec/patchpanel.md 11: the proxy is at work by then. */
const DELAY = millis(300);

export interface Ipv6RestartsOptions {
  readonly guestIpv6: GuestIpv6;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Has connected namespaces configure IPv6 anew when they get another upstream, and when the prefix of theirs changed: a namespace does
 * not solicit routers by itself when something changes behind the host.
 */
export class Ipv6Restarts implements Observer {
  readonly #options: Ipv6RestartsOptions;
  /** Of guests that wait. BOUNDED: by the namespaces of the world. */
  readonly #waiting = new Set<string>();
  /** Prefixes that each uplink had last: between two networks it has none for a moment. BOUNDED: by the uplinks that are there. */
  readonly #prefixes = new Map<string, ReadonlySet<string>>();
  #world: World | null = null;

  constructor(options: Ipv6RestartsOptions) {
    this.#options = options;
  }

  leaving(): void {
    // Who goes needs nothing.
  }

  arrived(from: World, to: World): void {
    this.#world = to;
    const links = new Set(
      forwardingChange(from, to)
        .added.filter(({ ipv6 }) => ipv6)
        .map(({ downstream }) => downstream),
    );
    const renumbered = from.uplinks === to.uplinks ? NONE : this.#renumbered(from, to);
    // Another upstream may be that of every guest.
    const guests = from.uplinks === to.uplinks ? guestsThatDiffer(to, from) : to.guests.values();
    for (const guest of guests) {
      if (guest.kind !== 'namespace') continue;
      if (links.has(namespaceNames(guest.number).host)) this.#restartSoon(guest);
      else if (renumbered.size > 0 && renumbered.has(upstreamOf(guest, to) ?? '')) this.#restart(guest);
    }
  }

  /** Uplinks that have other prefixes now, and none of those that they had last. */
  #renumbered(from: World, to: World): ReadonlySet<string> {
    for (const uplink of from.uplinks) {
      const prefixes = prefixesOf(uplink);
      if (prefixes.size > 0) this.#prefixes.set(uplink.ifname, prefixes);
    }
    const present = new Set(to.uplinks.map(({ ifname }) => ifname));
    for (const ifname of this.#prefixes.keys()) if (!present.has(ifname)) this.#prefixes.delete(ifname);
    const renumbered = to.uplinks.filter((uplink) => {
      const [before, after] = [this.#prefixes.get(uplink.ifname) ?? NONE, prefixesOf(uplink)];
      return before.size > 0 && after.size > 0 && [...after].every((prefix) => !before.has(prefix));
    });
    return new Set(renumbered.map(({ ifname }) => ifname));
  }

  #restartSoon(guest: Namespace): void {
    const key = guestKey(guest);
    if (this.#waiting.has(key)) return;
    this.#waiting.add(key);
    this.#options.clock.after('ipv6.restart', DELAY, () => {
      this.#waiting.delete(key);
      if (this.#world?.guests.has(key) === true) this.#restart(guest);
    });
  }

  #restart({ number }: Namespace): void {
    const { guestIpv6, log } = this.#options;
    const { netns, peer } = namespaceNames(number);
    try {
      guestIpv6.restart(netns, peer);
      log.debug('ipv6.restarted', { netns, ifname: peer });
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      if (fault.code === 'ENOENT' || fault.code === 'ENODEV') return; // it is being taken away
      log.warn('ipv6.not-restarted', { netns, ifname: peer, error: causeChain(fault) });
    }
  }
}

const NONE: ReadonlySet<string> = new Set();

/** Where the guest's IPv6 is relayed to, if anywhere. */
const upstreamOf = (guest: Namespace, { uplinks }: World): string | undefined =>
  forwardingOfGuest(guest, uplinks).find(({ ipv6 }) => ipv6)?.upstream;

/** Of addresses that reach beyond the link. */
function prefixesOf(uplink: Uplink): ReadonlySet<string> {
  return new Set(
    uplink.addresses.flatMap((text) => {
      const cidr = parseCidr(text);
      return cidr?.family === 'ipv6' && !isLinkLocalIpv6(cidr.address) ? [formatCidr(networkOf(cidr))] : [];
    }),
  );
}
