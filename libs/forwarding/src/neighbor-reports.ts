import { backoff, BoundedMap, causeChain, seconds, type Cancel, type Clock, type Logger } from '@pp/base';
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

/** Above 64 for each of some hundred guests, which is what the manager keeps. */
const MAX_REPORTS = 16_384;
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
  readonly #reports: BoundedMap<string, Report>;
  /** Keys of reports that the manager does not know yet. BOUNDED: by the reports. */
  readonly #untold = new Set<string>();
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
    this.#reports = new BoundedMap(MAX_REPORTS, (key) => {
      this.#untold.delete(key);
      log.debug('neighbor-report.dropped', { max: MAX_REPORTS });
    });
  }

  /** From now on this run of the manager is told; undefined: there is none. */
  setManager(instance: bigint | undefined): void {
    this.#instance = instance;
    this.#cancelRetry();
    this.#delays = newDelays();
    if (instance === undefined) return;
    if (instance !== this.#toldInstance) {
      this.#untold.clear(); // in their order
      for (const [key] of this.#reports.entries()) this.#untold.add(key);
    }
    this.#toldInstance = instance;
    this.#tell();
  }

  /** Forgets neighbours of pairs that are no more: the manager does, too. */
  keepServed(pairs: readonly ForwardingPair[]): void {
    const served = new Set(
      pairs.filter(({ ipv6 }) => ipv6).map(({ upstream, downstream }) => `${upstream} ${downstream}`),
    );
    for (const [key, { neighbor }] of [...this.#reports.entries()])
      if (!served.has(`${neighbor.upstream} ${neighbor.ifname}`)) this.#forget(key);
  }

  put(neighbor: Neighbor, is: Report['is']): void {
    const key = `${neighbor.upstream} ${neighbor.ifname} ${neighbor.address.join('.')}`;
    if (this.#reports.get(key)?.is === is) return;
    this.#reports.set(key, { neighbor: { ...neighbor, address: neighbor.address.slice() }, is });
    this.#untold.add(key);
    this.#tell();
  }

  #forget(key: string): void {
    this.#reports.delete(key);
    this.#untold.delete(key);
  }

  /** One at a time, so that the last word on a neighbour is the last to arrive. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    void this.#tellAll().then((isDone) => {
      this.#isTelling = false;
      if (!isDone) this.#retry();
      else if (this.#instance !== undefined && this.#untold.size > 0) this.#tell(); // put in since the last look
    });
  }

  /** False: the manager could not be told. */
  async #tellAll(): Promise<boolean> {
    for (const key of this.#untold) {
      if (this.#instance === undefined) return true;
      const report = this.#reports.get(key);
      this.#untold.delete(key);
      const outcome = report === undefined ? 'refused' : await this.#tellOne(report);
      if (this.#reports.get(key) !== report) continue; // there is a newer word
      if (outcome === 'unheard') {
        this.#untold.add(key);
        return false;
      }
      this.#delays = newDelays();
      if (outcome === 'refused' || report?.is === 'lost') this.#forget(key);
    }
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

  #retry(): void {
    if (this.#instance === undefined) return;
    this.#cancelRetry = this.#clock.after('forwarding.report', this.#delays.next().value, () => {
      this.#tell();
    });
  }
}

const newDelays = (): ReturnType<typeof backoff> => backoff(seconds(0.2), seconds(30));
