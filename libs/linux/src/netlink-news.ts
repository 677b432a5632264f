import { millis, seconds } from '@pp/base';
import type { Cancel, Clock, Logger } from '@pp/base';
import { DOOMED_GROUP, LINK_GROUP, ROUTE_PROTOCOL } from '@pp/datapath';
import type { Native } from '@pp/native';
import { isByIdAlone, Monitor, netlinkIn, ownLinksFilter } from '@pp/netlink';
import type { Link, Route, RouteEvent } from '@pp/netlink';
import type { NetworkNews, NetworkView } from '@pp/ports';
import { isWantedInCrowd } from './crowded-routes';
import { networkSubject, type NetworkSnapshot } from './foreign-rules';
import { isForeignRule, isHidden, viewOf } from './network-view';

export interface NetlinkNewsOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace to watch; default: the process's own. */
  readonly netnsFd?: number;
}

const OWN = { groups: [LINK_GROUP, DOOMED_GROUP], protocol: ROUTE_PROTOCOL };

/** What belongs together comes within this time: an address, its routes, the link's new flags. */
const GATHERING = millis(5);
/** How long a crowded table may be no longer crowded before it is noticed: a look at a million routes is seconds of work. */
const CROWD_PATIENCE = seconds(60);

/**
 * The host's network by rtnetlink. After an event about what is not ours all is read again: the kernel does not tell which IPv4
 * routes went with a link or an address. Events about our own links cost next to nothing; most of them are never heard.
 */
export class NetlinkNews implements NetworkNews {
  readonly #monitor: Monitor<NetworkSnapshot, RouteEvent>;
  readonly #clock: Clock;
  /** ifindexes of links that are shown. The others are ours. BOUNDED: by the links of the host, and renewed with each snapshot. */
  #shown = new Set<number>();
  /** Of these, links that have come since the last gathering: a TAP of ours is there before its tag. BOUNDED: by what comes within GATHERING. */
  readonly #fresh = new Set<number>();
  /** Of some tables not all routes are told. */
  #isCrowded = false;
  /** Since then something else changed. */
  #isStale = false;
  #told = '';
  #gathering: Cancel | null = null;
  #crowdLook: Cancel | null = null;
  #onView: (view: NetworkView) => void = () => undefined;

  constructor({ native, clock, log, netnsFd }: NetlinkNewsOptions) {
    this.#clock = clock;
    this.#monitor = new Monitor({
      open: netlinkIn(native, 'route', netnsFd),
      listen: netlinkIn(native, 'route', netnsFd, ownLinksFilter(OWN)),
      clock,
      subject: networkSubject(),
      onSnapshot: (snapshot) => {
        const shown = snapshot.links.filter((link) => !isHidden(link));
        this.#shown = new Set(shown.map(({ ifindex }) => ifindex));
        this.#isCrowded = snapshot.isCrowded;
        this.#tell(viewOf(snapshot));
      },
      onEvent: (event) => {
        if (this.#concerns(event)) this.#isStale = true;
        if (this.#isStale || this.#fresh.size > 0) this.#gather();
      },
      onFault: (fault) => {
        log.warn('network.unread', { error: fault.message });
      },
    });
  }

  async start(onView: (view: NetworkView) => void): Promise<void> {
    this.#onView = onView;
    await this.#monitor.start();
  }

  close(): void {
    this.#gathering?.();
    this.#crowdLook?.();
    this.#monitor.close();
  }

  /** Whether it may change the view. Learns which links are shown by the way: the kernel tells of a link before all that it has. */
  #concerns(event: RouteEvent): boolean {
    switch (event.on) {
      case 'link':
        return this.#linkConcerns(event.link);
      case 'address':
        return this.#shown.has(event.address.ifindex);
      case 'route':
        return this.#routeConcerns(event.route);
      case 'nexthop': // we make none
        return true;
      case 'rule':
        return isForeignRule(event.rule);
      case 'neighbor':
        return false;
    }
  }

  #routeConcerns(route: Route): boolean {
    if (this.#isCrowded && !isWantedInCrowd(route)) {
      this.#crowdLook ??= this.#clock.after('network.crowd', CROWD_PATIENCE, () => {
        this.#crowdLook = null;
        this.#monitor.refresh();
      });
      return false;
    }
    return (
      isByIdAlone(route) || route.hops.some(({ ifindex }) => ifindex !== null && this.#shown.has(ifindex))
    );
  }

  #linkConcerns(link: Link): boolean {
    const { ifindex } = link;
    if (isHidden(link)) {
      const wasTold = !this.#fresh.delete(ifindex);
      return this.#shown.delete(ifindex) && wasTold;
    }
    if (this.#shown.has(ifindex) && !this.#fresh.has(ifindex)) return true;
    this.#shown.add(ifindex);
    this.#fresh.add(ifindex);
    return false;
  }

  #gather(): void {
    this.#gathering ??= this.#clock.after('network.gather', GATHERING, () => {
      this.#gathering = null;
      const isDue = this.#isStale || this.#fresh.size > 0;
      this.#isStale = false;
      this.#fresh.clear();
      if (isDue) this.#monitor.refresh();
    });
  }

  #tell(view: NetworkView): void {
    const text = JSON.stringify(view);
    if (text === this.#told) return;
    this.#told = text;
    this.#onView(view);
  }
}
