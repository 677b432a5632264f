import {
  backoff,
  BoundedMap,
  causeChain,
  millis,
  seconds,
  TokenBucket,
  type Cancel,
  type Clock,
  type Logger,
} from '@pp/base';
import { DBusError, type Bus } from '@pp/dbus';
import { encode } from '@pp/proto';
import { FORWARDING, SERVICE } from './service';
import type { ForwardingPair } from './view';

/** An IPv6 address that a guest holds on a link, which shares the prefix of an upstream. */
export interface Neighbor {
  readonly ifname: string;
  /** 16 bytes. */
  readonly address: Uint8Array;
  readonly upstream: string;
}

interface Report {
  readonly neighbor: Neighbor;
  readonly is: 'there' | 'lost';
}

/** What is said of one link. A guest that makes addresses up takes its own turns and memory, and nobody else's. */
interface Link {
  /** By address. */
  readonly reports: BoundedMap<string, Report>;
  /** Addresses of reports that the manager does not know yet, the oldest first. BOUNDED: by the reports. */
  readonly untold: Set<string>;
  readonly turns: TokenBucket;
}

/** Of one link: four times what the manager keeps. */
const MAX_REPORTS = 256;
/** Of one link: what the manager keeps at once, then what hosts with changing addresses need. Each costs the manager milliseconds. */
const BURST = 64;
const PER_SECOND = 5;
const PACE = millis(1000 / PER_SECOND);
/** The manager's word on a report: said again, the answer would be the same. After any other error it is said again later. */
const REFUSAL = /^org\.chromium\.PatchPanel\.Error\.(InvalidArgument|NotFound|AlreadyExists)$/;

/**
 * What this helper knows of neighbours, told to the manager one by one, and again to each new run of it. The latest word on a
 * neighbour counts.
 */
export class NeighborReports {
  readonly #bus: Pick<Bus, 'call'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** In the order of their turns. BOUNDED: by guests' links, of which the manager tells. */
  readonly #links = new Map<string, Link>();
  #delays = newDelays();
  /** The manager's run that is there; undefined: none. */
  #instance: bigint | undefined;
  /** The run that knows all but what is untold. */
  #toldInstance: bigint | undefined;
  #isTelling = false;
  #cancelRetry: Cancel = () => undefined;

  constructor({ bus, clock, log }: { bus: Pick<Bus, 'call'>; clock: Clock; log: Logger }) {
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
  }

  /** From now on this run of the manager is told; undefined: there is none. */
  setManager(instance: bigint | undefined): void {
    this.#instance = instance;
    this.#cancelRetry();
    this.#delays = newDelays();
    if (instance === undefined) return;
    if (instance !== this.#toldInstance)
      for (const { reports, untold } of this.#links.values()) {
        untold.clear(); // in their order
        for (const [address] of reports.entries()) untold.add(address);
      }
    this.#toldInstance = instance;
    this.#tell();
  }

  /** Forgets neighbours of pairs that are no more: the manager does, too. */
  keepServed(pairs: readonly ForwardingPair[]): void {
    const served = new Set(
      pairs.filter(({ ipv6 }) => ipv6).map(({ upstream, downstream }) => `${upstream} ${downstream}`),
    );
    for (const name of [...this.#links.keys()]) if (!served.has(name)) this.#links.delete(name);
  }

  put(neighbor: Neighbor, is: Report['is']): void {
    const { reports, untold } = this.#linkOf(neighbor);
    const address = neighbor.address.join('.');
    if (reports.get(address)?.is === is) return;
    reports.set(address, { neighbor: { ...neighbor, address: neighbor.address.slice() }, is });
    untold.add(address);
    this.#tell();
  }

  #linkOf({ upstream, ifname }: Neighbor): Link {
    const name = `${upstream} ${ifname}`;
    const before = this.#links.get(name);
    if (before !== undefined) return before;
    const untold = new Set<string>();
    const reports = new BoundedMap<string, Report>(MAX_REPORTS, (address) => {
      untold.delete(address);
      this.#log.debug('neighbor-report.dropped', { upstream, ifname, max: MAX_REPORTS });
    });
    const link = { reports, untold, turns: new TokenBucket(PER_SECOND, this.#clock.now(), BURST) };
    this.#links.set(name, link);
    return link;
  }

  /** One at a time, so that the last word on a neighbour is the last to arrive. */
  #tell(): void {
    if (!this.#isTelling) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    let isHeard = true;
    while (isHeard) {
      const link = this.#next();
      if (link === undefined) break;
      isHeard = await this.#tellFirst(link);
    }
    this.#isTelling = false;
    this.#cancelRetry();
    if (this.#instance === undefined || [...this.#links.values()].every(isTold)) return;
    const wait = isHeard ? PACE : this.#delays.next().value;
    this.#cancelRetry = this.#clock.after('forwarding.report', wait, () => {
      this.#tell();
    });
  }

  /** The link whose turn it is; undefined: nothing is to be said now. */
  #next(): Link | undefined {
    if (this.#instance === undefined) return undefined;
    const now = this.#clock.now();
    for (const [name, link] of this.#links) {
      if (isTold(link) || !link.turns.take(now)) continue;
      this.#links.delete(name); // the others are first
      this.#links.set(name, link);
      return link;
    }
    return undefined;
  }

  /** False: the manager could not be told. */
  async #tellFirst({ reports, untold }: Link): Promise<boolean> {
    const [address = ''] = untold;
    untold.delete(address);
    const report = reports.get(address);
    const outcome = report === undefined ? 'refused' : await this.#tellOne(report);
    if (reports.get(address) !== report) return true; // there is a newer word
    if (outcome === 'unheard') {
      untold.add(address);
      return false;
    }
    this.#delays = newDelays();
    if (outcome === 'refused' || report?.is === 'lost') reports.delete(address);
    return true;
  }

  async #tellOne({ neighbor, is }: Report): Promise<'told' | 'refused' | 'unheard'> {
    const member = is === 'there' ? 'NeighborDetected' : 'NeighborLost';
    const body = [encode('NeighborEvent', neighbor)];
    try {
      await this.#bus.call({ destination: SERVICE, ...FORWARDING, member, signature: 'ay', body });
      return 'told';
    } catch (fault) {
      const { ifname, upstream } = neighbor;
      this.#log.debug('neighbor-report.failed', { member, ifname, upstream, error: causeChain(fault) });
      return fault instanceof DBusError && REFUSAL.test(fault.name) ? 'refused' : 'unheard';
    }
  }
}

const isTold = ({ untold }: Link): boolean => untold.size === 0;

const newDelays = (): ReturnType<typeof backoff> => backoff(seconds(0.2), seconds(30));
