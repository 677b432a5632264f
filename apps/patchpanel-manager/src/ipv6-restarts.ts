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
    // Another upstream may be that of every guest.
    const guests = from.uplinks === to.uplinks ? guestsThatDiffer(to, from) : to.guests.values();
    for (const guest of guests) {
      if (guest.kind !== 'namespace') continue;
      if (links.has(namespaceNames(guest.number).host)) this.#restartSoon(guest);
      else if (from.uplinks !== to.uplinks && isRenumbered(guest, from, to)) this.#restart(guest);
    }
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

/** The guest's upstream has other prefixes now, and none of those that it had. */
function isRenumbered(guest: Namespace, from: World, to: World): boolean {
  const upstream = forwardingOfGuest(guest, to.uplinks).find(({ ipv6 }) => ipv6)?.upstream;
  const [before, after] = [from, to].map(({ uplinks }) =>
    prefixesOf(uplinks.find(({ ifname }) => ifname === upstream)),
  );
  if (before === undefined || after === undefined || before.size === 0 || after.size === 0) return false;
  return [...after].every((prefix) => !before.has(prefix));
}

/** Of addresses that reach beyond the link. */
function prefixesOf(uplink: Uplink | undefined): ReadonlySet<string> {
  return new Set(
    (uplink?.addresses ?? []).flatMap((text) => {
      const cidr = parseCidr(text);
      return cidr?.family === 'ipv6' && !isLinkLocalIpv6(cidr.address) ? [formatCidr(networkOf(cidr))] : [];
    }),
  );
}
