import type { Logger } from '@pp/base';
import { IP_FORWARD, type Kernel, type LocalSources, type Pools } from '@pp/datapath';
import {
  clashesOf,
  type Descriptors,
  type Journal,
  type NetworkNews,
  type NetworkView,
  type ProcessNetns,
} from '@pp/ports';
import { ARC_KEY, guestKey, type Namespace } from './domain/guest';
import { decided } from './domain/decision';
import { bridgesOfOthers } from './domain/bridges-of-others';
import { uplinksBeside } from './domain/uplink';
import { settledGuests } from './domain/settled-guests';
import { emptyWorld, type World } from './domain/world';
import { uplinksOf, type UplinkChoice } from './feeds/uplinks';
import { Lifeline, Lifelines } from './lifelines';
import { keptLifelines, outlives, storeName, type FdStore } from './outlived';
import { Reconciler, type Observer } from './reconciler';
import { releaseEnded } from './usecases/release-ended';
import { uplinksChanged, withGuestsFollowing } from './usecases/uplinks-changed';
import { cutShort, remembered } from './world-entries';

export interface ManagerParts {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly news: NetworkNews;
  readonly descriptors: Descriptors;
  readonly processNetns: ProcessNetns;
  readonly fdStore: FdStore;
  readonly observer: Observer;
  readonly log: Logger;
  readonly pools: Pools;
  /** uid of the person in front of the host; null: there is no such user. */
  readonly sessionUser: number | null;
  /** Lifelines that can be watched at once. */
  readonly mostLifelines: number;
  readonly uplinks: readonly UplinkChoice[];
  /** Whose the host's own traffic is; absent: nobody's in particular. */
  readonly localSources?: LocalSources;
  /** The kernel takes nothing of IPv6. */
  readonly withoutIpv6?: boolean;
  readonly randomBytes: (n: number) => Uint8Array;
  /** Runs a task after the events that are at hand. */
  readonly defer: (task: () => void) => void;
  /** The same when whoever waited for them has his answer. */
  readonly later: (task: () => void) => void;
  /** See Reconciler. */
  readonly onRefused: () => void;
}

/**
 * The manager without its bus: from the journal and the host's network to a kernel that agrees with both; then uplinks that change and
 * lifelines that end.
 */
export class Manager {
  readonly reconciler: Reconciler;
  readonly lifelines: Lifelines;
  readonly #parts: ManagerParts;
  /** Guests and DNS redirections whose lifelines have ended and whose release waits. BOUNDED: by the world. */
  readonly #ended = new Set<string>();
  #clashes: readonly string[] = [];
  /** How the host's network looked last. */
  #view: NetworkView | null = null;
  /** ifindexes of others' bridges that were there before this host forwarded: they do not live by it. */
  #withoutForwarding: ReadonlySet<number> = new Set();
  /** How the host's network looks, when its turn comes; null: it is followed already. */
  #awaited: NetworkView | null = null;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
    const { pools, sessionUser, mostLifelines, localSources = null, withoutIpv6 = false } = parts;
    const world = { ...emptyWorld(pools, sessionUser, mostLifelines), localSources, withoutIpv6 };
    this.reconciler = new Reconciler({ ...parts, defer: parts.later, world });
    this.lifelines = new Lifelines((key) => {
      this.#end(key);
    });
  }

  get world(): World {
    return this.reconciler.world;
  }

  /** What of the host's network is in guests' way, a sentence each. */
  get clashes(): readonly string[] {
    return this.#clashes;
  }

  /** Resolves when the kernel is as the journal and the host's network say; from then on it follows them. */
  async start(): Promise<void> {
    const first = await this.#firstView();
    this.#view = first;
    this.#tellClashes(first);
    const { entries, before } = this.#parts.journal.load();
    const last = remembered(entries);
    const kept = keptLifelines([...last.guests.keys(), ...last.dnsRules.keys()], this.#parts);
    const adopted = new Map(
      [...last.guests].filter(([key, guest]) => kept.has(key) || outlives(guest, this.#parts.processNetns)),
    );
    const dnsRules = new Map([...last.dnsRules].filter(([key]) => kept.has(key)));
    const former = cutShort(last, before === null ? last : remembered(before), new Set(adopted.keys()));
    const { pools, guests } = settledGuests(this.#parts.pools, former.pools, [...adopted.values()]);
    for (const { kind, cidr } of pools.extra.slice(this.#parts.pools.extra.length))
      this.#parts.log.info('pool.held', { pool: `${kind}=${cidr}` }); // by guests; nobody else gets of it
    const { present, ...network } = uplinksOf(first, this.#parts.uplinks);
    const { vpnLockdown } = former;
    if (!last.originals.has(IP_FORWARD))
      // else an earlier run made it forward, and which came since is not known
      this.#withoutForwarding = new Set(bridgesOfOthers(first, present).map(({ ifindex }) => ifindex));
    const uplinks = uplinksBeside(adopted.has(ARC_KEY), present);
    await this.reconciler.start({
      former,
      pools,
      guests,
      dnsRules,
      uplinks,
      vpnLockdown,
      ...network,
    });
    await this.reconciler.submit('guests.follow', (world) =>
      decided(withGuestsFollowing(world, this.#parts.randomBytes), null),
    );
    for (const [key, fd] of kept) this.lifelines.hold(key, this.watch(fd));
    this.#parts.log.info('adopted', { guests: guests.length, released: last.guests.size - guests.length });
  }

  /** Takes `fd`; what it is the lifeline of is said later. */
  readonly watch = (fd: number): Lifeline => new Lifeline(this.#parts.descriptors, fd);

  /** A namespace was connected: its lifeline is stored, and its end is the namespace's. */
  readonly hold = (guest: Namespace, lifeline: Lifeline): void => {
    this.#hold(guestKey(guest), lifeline);
    const { number: id, subnet, owner } = guest;
    this.#parts.later(() => {
      this.#parts.log.info('namespace.connected', { id, subnet, owner });
    });
  };

  /** Name lookups were redirected under this key, as long as `fd` lives. */
  readonly holdDns = (key: string, fd: number): void => {
    this.#hold(key, this.watch(fd));
    this.#parts.log.info('dns.redirected', { rule: key });
  };

  #hold(key: string, lifeline: Lifeline): void {
    this.#parts.fdStore.storeFd(storeName(key), lifeline.fd);
    try {
      this.lifelines.hold(key, lifeline);
    } catch (fault) {
      lifeline.close();
      this.#end(key); // its client is told of a failure, and nothing else would ever end it
      throw fault;
    }
  }

  /** `clean` leaves the host as it was; `keep` leaves everything for the next run. */
  async stop(mode: 'clean' | 'keep'): Promise<void> {
    this.#parts.news.close();
    const bridges = this.#view === null ? [] : bridgesOfOthers(this.#view, this.world.uplinks);
    const others = bridges.filter(({ ifindex }) => !this.#withoutForwarding.has(ifindex));
    const forwardedBefore = this.world.originals.get(IP_FORWARD) === '1';
    if (mode === 'clean' && others.length > 0 && !forwardedBefore)
      this.#parts.log.info('forwarding.left', { for: others.map(({ ifname }) => ifname).join(' ') });
    await this.reconciler.stop(mode, { forwards: others.length > 0 });
    this.lifelines.close();
  }

  /** One release waits at most; when its turn comes it takes all that have ended by then, for the kernel deletes links in bulk. */
  #end(key: string): void {
    this.#ended.add(key);
    if (this.#ended.size > 1) return; // taken with the first
    this.#parts.defer(() => {
      inBackground(this.#release());
    });
  }

  async #release(): Promise<void> {
    const released = await this.reconciler.submit('guests.release', (world) => {
      const keys = [...this.#ended];
      this.#ended.clear();
      return releaseEnded(world, keys);
    });
    if (!released.ok) return; // the manager is stopping, and they go with it or at the next start
    for (const key of released.value) {
      this.lifelines.drop(key);
      this.#parts.fdStore.removeFd(storeName(key));
      this.#parts.log.info('guest.released', { guest: key });
    }
  }

  /** The first view comes before anything else is decided; later ones are changes. */
  #firstView(): Promise<NetworkView> {
    return new Promise((resolve, reject) => {
      let first = true;
      const onView = (view: NetworkView): void => {
        if (first) resolve(view);
        else inBackground(this.#follow(view));
        first = false;
      };
      this.#parts.news.start(onView).catch(reject);
    });
  }

  /** One change waits at most, and then takes the newest view: a link may flap faster than guests can follow. */
  async #follow(view: NetworkView): Promise<void> {
    this.#view = view;
    this.#tellClashes(view);
    const waits = this.#awaited !== null;
    this.#awaited = view;
    if (waits) return;
    const changed = await this.reconciler.submit('uplinks.change', (world) => {
      const newest = this.#awaited ?? view;
      this.#awaited = null;
      return uplinksChanged(world, uplinksOf(newest, this.#parts.uplinks), this.#parts.randomBytes);
    });
    if (!changed.ok) {
      this.#parts.log.error('uplinks.failed', { reason: changed.sentence });
      return;
    }
    for (const ifname of changed.value.added) this.#parts.log.info('uplink.added', { ifname });
    for (const ifname of changed.value.removed) this.#parts.log.info('uplink.removed', { ifname });
  }

  /** Each when it comes. */
  #tellClashes(view: NetworkView): void {
    const before = new Set(this.#clashes);
    const chosen = this.#parts.uplinks.map(({ ifname }) => ifname);
    this.#clashes = clashesOf(view, this.#parts.pools, chosen);
    for (const clash of this.#clashes)
      if (!before.has(clash)) this.#parts.log.warn('network.clash', { clash });
  }
}

/** A fault on the way is told by `reconciler.broken`, and ends the process. */
function inBackground(work: Promise<void>): void {
  work.catch(() => undefined);
}
