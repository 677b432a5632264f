import {
  BoundedMap,
  isShortage,
  KernelError,
  TokenBucket,
  type Cancel,
  type Clock,
  type Millis,
} from '@pp/base';
import type { ReplySocket, ReplySockets } from '@pp/ports';
import { ipv4FromNumber, ipv4ToNumber, parseIpv4 } from '@pp/wire';
import type { Limits } from './core/limits';
import type { Asker, Reply, ReplyPorts, ReplyWay } from './core/reply';

interface Session {
  asker: Asker;
  readonly way: ReplyWay;
  readonly socket: ReplySocket;
  usedAt: Millis;
}

export interface SessionsOptions {
  readonly sockets: ReplySockets;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'sessions' | 'sessionsPerSource' | 'sessionsPerSecond' | 'sessionTime'>;
  readonly onReply: (reply: Reply) => void;
}

/** The port is taken, or the address or the interface goes. */
const PASSING = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'ENODEV']);

/** Ports of this host that are held, each for the answers to one asker, until it has been quiet for a while. */
export class Sessions implements ReplyPorts {
  readonly #options: SessionsOptions;
  readonly #sessions: BoundedMap<string, Session>;
  readonly #openings = new Map<number, TokenBucket>(); // BOUNDED: by the links, see `keep`
  #wake: Cancel | null = null;
  /** Ports that were wanted and could not be had. */
  refused = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#sessions = new BoundedMap(options.limits.sessions, (_, { socket }) => {
      socket.close();
    });
  }

  get size(): number {
    return this.#sessions.size;
  }

  portFor(asker: Asker, way: ReplyWay, wanted: number, now: Millis): number | null {
    const key = keyOf(asker, way);
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      known.asker = kept(asker);
      known.usedAt = now;
      this.#sessions.set(key, known); // the latest
      return known.socket.port;
    }
    const socket = this.#mayOpen(asker.ifindex, now) ? this.#open(key, way, wanted) : null;
    if (socket === null) {
      this.refused += 1;
      return null;
    }
    this.#makeRoomFor(asker);
    this.#sessions.set(key, { asker: kept(asker), way, socket, usedAt: now });
    this.#wakeLater();
    return socket.port;
  }

  /** Closes the others: their link or address is gone. */
  keep(isThere: (asker: Asker, way: ReplyWay) => boolean): void {
    for (const [key, { asker, way }] of this.#sessions.entries()) if (!isThere(asker, way)) this.#close(key);
    if (this.#sessions.size === 0) this.#openings.clear();
  }

  close(): void {
    this.keep(() => false);
    this.#wake?.();
    this.#wake = null;
  }

  #mayOpen(ifindex: number, now: Millis): boolean {
    const known = this.#openings.get(ifindex);
    if (known !== undefined) return known.take(now);
    const bucket = new TokenBucket(this.#options.limits.sessionsPerSecond, now);
    this.#openings.set(ifindex, bucket);
    return bucket.take(now);
  }

  #open(key: string, { exit, address }: ReplyWay, port: number): ReplySocket | null {
    try {
      return this.#options.sockets.open({
        ifname: exit.ifname,
        address: ipv4FromNumber(address),
        port,
        onDatagram: (payload, fromAddress, fromPort) => {
          const session = this.#sessions.get(key);
          const from = parseIpv4(fromAddress);
          if (session === undefined || from === null) return;
          const { asker } = session;
          this.#options.onReply({
            asker,
            ifindex: exit.ifindex,
            from: ipv4ToNumber(from),
            fromPort,
            payload,
          });
        },
        onFault: () => undefined, // the interface goes: news of it come by netlink
      });
    } catch (fault) {
      if (fault instanceof KernelError && (PASSING.has(fault.code) || isShortage(fault))) return null;
      throw fault;
    }
  }

  /** One asker does not drive out the sessions of others. */
  #makeRoomFor({ ifindex, address }: Asker): void {
    const own = [...this.#sessions.entries()].filter(
      ([, { asker }]) => asker.ifindex === ifindex && asker.address === address,
    );
    const [oldest] = own;
    if (oldest !== undefined && own.length >= this.#options.limits.sessionsPerSource) this.#close(oldest[0]);
  }

  #close(key: string): void {
    this.#sessions.get(key)?.socket.close();
    this.#sessions.delete(key);
  }

  #wakeLater(): void {
    const { clock, limits } = this.#options;
    this.#wake ??= clock.after('bcast-fwd.sessions', limits.sessionTime, () => {
      this.#wake = null;
      for (const [key, { usedAt }] of this.#sessions.entries())
        if (clock.now() - usedAt >= limits.sessionTime) this.#close(key);
      if (this.#sessions.size > 0) this.#wakeLater();
    });
  }
}

const keyOf = ({ ifindex, address, port }: Asker, way: ReplyWay): string =>
  `${ifindex} ${address} ${port} ${way.exit.ifindex} ${way.address}`;

/** The Ethernet address lies in a frame. */
const kept = (asker: Asker): Asker => ({ ...asker, mac: asker.mac?.slice() ?? null });
