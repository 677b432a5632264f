import { isShortage, millis, type Cancel } from '@pp/base';
import { isInterfaceFault, sendAll, type FrameFacts, type PacketPort } from '@pp/ports';
import { filterOf } from './core/filter';
import type { RelayLink } from './core/link';
import type { Doors } from './doors';

export interface LinkPortsParts {
  readonly doors: Pick<Doors, 'packets' | 'clock' | 'log'>;
  /** `frame` is borrowed. */
  readonly onFrame: (link: RelayLink, frame: Uint8Array, facts: FrameFacts) => void;
  readonly onBatchEnd: () => void;
  /** A link could not be opened: it is time to `keep` again. */
  readonly onRetry: () => void;
}

interface OpenPort {
  readonly port: PacketPort;
  /** What its filter was made of. */
  readonly filterText: string;
}

/** A port that could not be opened is tried again after this. */
const REOPEN = millis(1000);

/** A packet socket for each link that is relayed. */
export class LinkPorts {
  /** Frames that the kernel did not take. */
  sendFailures = 0;
  readonly #parts: LinkPortsParts;
  readonly #open = new Map<number, OpenPort>(); // BOUNDED: by the interfaces
  #missed = 0;
  #retry: Cancel | null = null;

  constructor(parts: LinkPortsParts) {
    this.#parts = parts;
  }

  /** Has a port for each of `links`, by ifindex, and no other. */
  keep(links: ReadonlyMap<number, RelayLink>): void {
    for (const ifindex of this.#open.keys()) if (!links.has(ifindex)) this.#close(ifindex);
    for (const link of links.values()) this.#openFor(link);
  }

  /** Whether a link has its port: the kernel may have refused it for now. */
  has(ifindex: number): boolean {
    return this.#open.has(ifindex);
  }

  /** Frames for a link without a port count as failed. One that is refused does not keep those behind it. */
  send(ifindex: number, frames: readonly Uint8Array[]): void {
    const port = this.#open.get(ifindex)?.port;
    this.sendFailures += port === undefined ? frames.length : sendAll(port, frames);
  }

  /** Frames that the kernel dropped because they came faster than they were read. */
  missed(): number {
    for (const { port } of this.#open.values()) this.#missed += port.missed();
    return this.#missed;
  }

  close(): void {
    this.#retry?.();
    this.keep(new Map());
  }

  /** Anew where the filter has the link's addresses in it, and they changed. */
  #openFor(link: RelayLink): void {
    const { ifindex, ifname, role } = link;
    const { log } = this.#parts.doors;
    const filter = filterOf(link);
    const filterText = JSON.stringify(filter);
    const known = this.#open.get(ifindex);
    if (known?.filterText === filterText) return;
    try {
      const port = this.#portFor(link, filter);
      if (known === undefined) log.info('link.joined', { ifname, ifindex, role });
      else this.#drop(known);
      this.#open.set(ifindex, { port, filterText });
    } catch (fault) {
      if (!isInterfaceFault(fault) && !isShortage(fault)) throw fault;
      log.debug('link.refused', { ifname, error: fault.message });
      this.#retryLater();
    }
  }

  #portFor(link: RelayLink, filter: ReturnType<typeof filterOf>): PacketPort {
    const { doors, onFrame, onBatchEnd } = this.#parts;
    return doors.packets.open({
      ifindex: link.ifindex,
      frames: 'ipv4',
      filter,
      onFrame: (frame, facts) => {
        onFrame(link, frame, facts);
      },
      onBatchEnd,
      onFault: ({ message: error }) => {
        doors.log.debug('link.fault', { ifname: link.ifname, error });
      },
    });
  }

  #close(ifindex: number): void {
    const open = this.#open.get(ifindex);
    if (open === undefined) return;
    this.#drop(open);
    this.#open.delete(ifindex);
    this.#parts.doors.log.info('link.left', { ifindex });
  }

  #drop({ port }: OpenPort): void {
    this.#missed += port.missed();
    port.close();
  }

  #retryLater(): void {
    this.#retry ??= this.#parts.doors.clock.after('bcast-fwd.reopen', REOPEN, () => {
      this.#retry = null;
      this.#parts.onRetry();
    });
  }
}
