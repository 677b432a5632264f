import { ByteArena, millis, type Cancel } from '@pp/base';
import type { FrameFacts, InterfacesView } from '@pp/ports';
import type { RelayLink } from './core/link';
import { framesOf, type Copy } from './core/outgoing';
import { Relay, type Step } from './core/relay';
import { replyToAsker, type Reply } from './core/reply';
import type { Direction, RelaySettings } from './core/settings';
import type { DesiredPair } from './desired';
import type { Doors } from './doors';
import { LinkPorts } from './link-ports';
import { PairCounts } from './pair-counts';
import { Sessions } from './sessions';
import { servedBy, type Absence, type Wishes } from './topology-of';

export interface ServiceSettings extends RelaySettings {
  readonly direction: Direction;
  readonly targets: Wishes['targets'];
}

/** One frame and what became of it, for whoever traces. Borrowed. */
export interface Traced {
  readonly ifname: string;
  readonly step: Step;
}

/** Follows the interfaces as they come and go, gives their frames to the relay, and sends what it says. */
export class RelayService {
  readonly relay: Relay;
  readonly sessions: Sessions;
  readonly pairs = new PairCounts();
  readonly #settings: ServiceSettings;
  readonly #doors: Doors;
  readonly #ports: LinkPorts;
  readonly #arena = new ByteArena();
  readonly #outbox = new Map<number, Uint8Array[]>(); // BOUNDED: emptied after each batch
  #desired: readonly DesiredPair[] = [];
  #view: InterfacesView = { links: [], addresses: [] };
  #isServing = false;
  #missing: ReadonlyMap<string, Absence> = new Map();
  #lastId = 0;
  #wake: Cancel | null = null;
  /** Gets every frame, while somebody traces. */
  tracer: ((traced: Traced) => void) | null = null;

  constructor(settings: ServiceSettings, doors: Doors) {
    this.#settings = settings;
    this.#doors = doors;
    const { replySockets: sockets, clock } = doors;
    this.sessions = new Sessions({
      sockets,
      clock,
      limits: settings.limits,
      onReply: (reply) => {
        this.#onReply(reply);
      },
    });
    this.relay = new Relay(settings, this.sessions);
    this.#ports = new LinkPorts({
      doors,
      onFrame: (link, frame, facts) => {
        this.#onFrame(link, frame, facts);
      },
      onBatchEnd: () => {
        this.#flush();
      },
      onRetry: () => {
        this.#sync();
      },
    });
  }

  get missing(): ReadonlyMap<string, Absence> {
    return this.#missing;
  }

  /** Serves from here on. */
  async start(): Promise<void> {
    await this.#doors.interfaces.start((view) => {
      this.#view = view;
      this.#isServing = true;
      this.#sync();
    });
  }

  /** All that is to be relayed. */
  setPairs(pairs: readonly DesiredPair[]): void {
    this.#desired = pairs;
    if (this.#isServing) this.#sync();
  }

  /** Whether frames of a link are heard now. */
  hears(ifindex: number): boolean {
    return this.#ports.has(ifindex);
  }

  /** Frames that the kernel dropped because they came faster than they were read. */
  missed(): number {
    return this.#ports.missed();
  }

  /** Frames that the kernel did not take. */
  get sendFailures(): number {
    return this.#ports.sendFailures;
  }

  stop(): void {
    this.#doors.interfaces.close();
    this.#wake?.();
    this.sessions.close();
    this.#ports.close();
  }

  #sync(): void {
    const { direction, targets } = this.#settings;
    const { topology, missing } = servedBy({ pairs: this.#desired, direction, targets }, this.#view);
    this.#tellMissing(missing);
    const { links } = topology;
    this.#ports.keep(links);
    this.relay.update(topology);
    this.sessions.keep(
      (asker, { exit, address }) =>
        links.has(asker.ifindex) &&
        links.get(exit.ifindex)?.addresses.some((own) => own.address === address) === true,
    );
  }

  #tellMissing(missing: ReadonlyMap<string, Absence>): void {
    for (const [ifname, why] of missing)
      if (this.#missing.get(ifname) !== why) this.#doors.log.info('interface.awaited', { ifname, why });
    this.#missing = missing;
  }

  #onFrame({ ifindex, ifname }: RelayLink, frame: Uint8Array, facts: FrameFacts): void {
    const step = this.relay.step(ifindex, frame, facts, this.#doors.clock.now());
    this.tracer?.({ ifname, step });
    for (const copy of step.copies) {
      this.pairs.count(ifname, copy.exit.ifname);
      this.#post(copy);
    }
  }

  #onReply(reply: Reply): void {
    const answer = replyToAsker(reply, this.relay.topology);
    const { counters } = this.relay;
    if (answer === null) {
      counters.repliesDropped += 1;
      return;
    }
    counters.replies += 1;
    this.#post({ ...answer, mac: reply.asker.mac });
    this.#flush();
  }

  #post(copy: Copy): void {
    const { ifindex } = copy.exit;
    const frames = framesOf(
      copy,
      (length) => this.#arena.allocate(length),
      () => this.#nextId(),
    );
    const waiting = this.#outbox.get(ifindex);
    if (waiting === undefined) this.#outbox.set(ifindex, [...frames]);
    else waiting.push(...frames);
  }

  #nextId(): number {
    this.#lastId = (this.#lastId % 0xffff) + 1;
    return this.#lastId;
  }

  /** Sends what has gathered, and sees to it that fragments do not wait for ever. */
  #flush(): void {
    for (const [ifindex, frames] of this.#outbox) this.#ports.send(ifindex, frames);
    this.#outbox.clear();
    this.#arena.reset();
    const due = this.relay.nextDue;
    if (due === Infinity || this.#wake !== null) return;
    const { clock } = this.#doors;
    this.#wake = clock.after('bcast-fwd.tick', millis(Math.max(1, due - clock.now())), () => {
      this.#wake = null;
      this.relay.tick(clock.now());
      this.#flush();
    });
  }
}
