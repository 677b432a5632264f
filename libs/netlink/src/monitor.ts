import { backoff, KernelError, seconds } from '@pp/base';
import type { Cancel, Clock } from '@pp/base';
import { NetlinkClient } from './client';
import { MalformedError } from './codec/malformed';
import { decodeMessages } from './codec/message';
import type { ReceivedMessage } from './codec/message';
import type { NetlinkSocket, OpenNetlink } from './socket';

/** What is watched: multicast groups, what their messages mean, and how to read all of it at once. */
export interface Subject<Snapshot, Event> {
  readonly groups: readonly number[];
  /** null: of no interest. Throws MalformedError. */
  readonly decode: (message: ReceivedMessage) => Event | null;
  readonly snapshot: (client: NetlinkClient) => Promise<Snapshot>;
}

export interface MonitorOptions<Snapshot, Event> {
  readonly open: OpenNetlink;
  /** Opens the socket that hears of changes, if that is another, as one with a filter is. */
  readonly listen?: OpenNetlink;
  readonly subject: Subject<Snapshot, Event>;
  readonly clock: Clock;
  /** How all of it looks; what was told before is void. At the start, and whenever the kernel dropped events. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** A change since. It may be in the snapshot already. */
  readonly onEvent: (event: Event) => void;
  /** Reading all of it was refused; it is tried again later. */
  readonly onFault: (fault: KernelError) => void;
}

/** Follows the kernel without losing a change: whoever applies the events to the last snapshot has what the kernel has. */
export class Monitor<Snapshot, Event> {
  readonly #options: MonitorOptions<Snapshot, Event>;
  readonly #client: NetlinkClient;
  readonly #socket: NetlinkSocket;
  #delays = retryDelays();
  /** Events that came while a snapshot is being read; null: none is. BOUNDED: given up for another snapshot at MAX_HELD. */
  #held: Event[] | null = [];
  #lost = false;
  #closed = false;
  #cancelRetry: Cancel = () => undefined;

  constructor(options: MonitorOptions<Snapshot, Event>) {
    this.#options = options;
    this.#client = new NetlinkClient(options.open);
    this.#socket = (options.listen ?? options.open)({
      onDatagrams: (datagrams) => {
        this.#receive(datagrams);
      },
      onError: () => {
        this.#resync();
      },
    });
  }

  /** Settles when the first snapshot was told; rejects if it cannot be read. */
  async start(): Promise<void> {
    for (const group of this.#options.subject.groups) this.#socket.join(group);
    await this.#read();
  }

  /** Reads all of it again, as if events had been lost. */
  refresh(): void {
    if (!this.#closed) this.#resync();
  }

  /** Idempotent; nothing is told any more. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#socket.close();
    this.#client.close();
  }

  #receive(datagrams: Uint8Array): void {
    if (this.#closed) return;
    try {
      for (const message of decodeMessages(datagrams)) this.#take(this.#options.subject.decode(message));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#resync(); // an event that cannot be read is an event lost
    }
  }

  #take(event: Event | null): void {
    if (event === null) return;
    if (this.#held === null) this.#options.onEvent(event);
    else if (this.#held.length < MAX_HELD) this.#held.push(event);
    else this.#lost = true;
  }

  /** Events were lost. */
  #resync(): void {
    if (this.#held !== null) {
      this.#lost = true;
      return;
    }
    this.#held = [];
    this.#readAgain();
  }

  #readAgain(): void {
    this.#read().catch((fault: unknown) => {
      if (!(fault instanceof KernelError)) throw fault;
      if (this.#closed) return;
      this.#options.onFault(fault);
      this.#cancelRetry = this.#options.clock.after('netlink.resync', this.#delays.next().value, () => {
        this.#readAgain();
      });
    });
  }

  async #read(): Promise<void> {
    this.#lost = false;
    const snapshot = await this.#options.subject.snapshot(this.#client);
    if (this.#closed) return;
    this.#delays = retryDelays();
    this.#tell(snapshot);
  }

  #tell(snapshot: Snapshot): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#options.onSnapshot(snapshot);
    for (const event of held) this.#options.onEvent(event);
    if (this.#lost) this.#resync();
  }
}

const retryDelays = (): ReturnType<typeof backoff> => backoff(seconds(0.1), seconds(5));

/** More than this during one snapshot cost more than another snapshot. */
const MAX_HELD = 4096;
