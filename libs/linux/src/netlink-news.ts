import { millis } from '@pp/base';
import type { Cancel, Clock, Logger } from '@pp/base';
import { DOOMED_GROUP, LINK_GROUP } from '@pp/datapath';
import type { Native } from '@pp/native';
import { isByIdAlone, Monitor, netlinkIn, ownLinksFilter } from '@pp/netlink';
import type { RouteEvent, RouteSnapshot } from '@pp/netlink';
import type { NetworkNews, NetworkView } from '@pp/ports';
import { networkSubject } from './foreign-rules';
import { isForeignRule, isHidden, viewOf } from './network-view';

export interface NetlinkNewsOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace to watch; default: the process's own. */
  readonly netnsFd?: number;
}

/** What belongs together comes within this time: an address, its routes, the link's new flags. */
const GATHERING = millis(5);

/**
 * The host's network by rtnetlink. After an event about what is not ours all is read again: the kernel does not tell which IPv4
 * routes went with a link or an address. Events about our own links cost nothing; most of them are never heard.
 */
export class NetlinkNews implements NetworkNews {
  readonly #monitor: Monitor<RouteSnapshot, RouteEvent>;
  readonly #clock: Clock;
  /** ifindexes. BOUNDED: by our links, and renewed with each snapshot. */
  #own = new Set<number>();
  /** ifindexes of the links of the last snapshot that were shown. BOUNDED: by the links of the host, and renewed likewise. */
  #shown = new Set<number>();
  #told = '';
  #gathering: Cancel | null = null;
  #onView: (view: NetworkView) => void = () => undefined;

  constructor({ native, clock, log, netnsFd }: NetlinkNewsOptions) {
    this.#clock = clock;
    this.#monitor = new Monitor({
      open: netlinkIn(native, 'route', netnsFd),
      listen: netlinkIn(native, 'route', netnsFd, ownLinksFilter([LINK_GROUP, DOOMED_GROUP])),
      clock,
      subject: networkSubject(),
      onSnapshot: (snapshot) => {
        const indexes = (hidden: boolean): Set<number> =>
          new Set(snapshot.links.filter((link) => isHidden(link) === hidden).map(({ ifindex }) => ifindex));
        [this.#own, this.#shown] = [indexes(true), indexes(false)];
        this.#tell(viewOf(snapshot));
      },
      onEvent: (event) => {
        if (this.#concerns(event)) this.#gather();
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
    this.#monitor.close();
  }

  /** Whether it may change the view. Learns our links by the way. */
  #concerns(event: RouteEvent): boolean {
    switch (event.on) {
      case 'link':
        if (!isHidden(event.link)) return true;
        this.#own.add(event.link.ifindex);
        return this.#shown.delete(event.link.ifindex); // a TAP is there before its tag, and was taken for somebody else's
      case 'address':
        return !this.#own.has(event.address.ifindex);
      case 'route':
        return (
          isByIdAlone(event.route) ||
          event.route.hops.some(({ ifindex }) => ifindex !== null && !this.#own.has(ifindex))
        );
      case 'nexthop': // we make none
        return true;
      case 'rule':
        return isForeignRule(event.rule);
      case 'neighbor':
        return false;
    }
  }

  #gather(): void {
    this.#gathering ??= this.#clock.after('network.gather', GATHERING, () => {
      this.#gathering = null;
      this.#monitor.refresh();
    });
  }

  #tell(view: NetworkView): void {
    const text = JSON.stringify(view);
    if (text === this.#told) return;
    this.#told = text;
    this.#onView(view);
  }
}
