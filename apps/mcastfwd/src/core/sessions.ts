import { BoundedMap, type Millis } from '@pp/base';
import type { Group } from './group';
import type { Segment } from './topology';

/** BOUNDED: as many ports as there are for sessions (see SESSION_PORTS). */
export const MAX_SESSIONS = 256;
/** BOUNDED: questions of one client that wait for answers at the same time. */
const MAX_IDS = 32;

/** A searcher that answers are passed on to. */
export interface Session {
  readonly id: number;
  readonly group: Group;
  /** Where the searcher is, and its address and port. */
  readonly client: { readonly segment: Segment; readonly address: string; readonly port: number };
  /** Interfaces that its question went out by. */
  readonly exits: ReadonlySet<number>;
  readonly until: Millis;
}

interface Open extends Session {
  until: Millis;
  readonly exits: Set<number>;
  /** DNS ids that were asked with. */
  readonly ids: Set<number>;
}

/**
 * Searchers from ports of their own, each with a port of ours that answers come to. Of the link that has most of them, the one that asked
 * longest ago makes room: a flood from one link ends no search from another.
 */
export class Sessions {
  readonly #byClient: BoundedMap<string, Open>;
  readonly #byId = new Map<number, Open>(); // BOUNDED: as #byClient
  #next = 1;

  constructor(private readonly onEnd: (session: Session) => void) {
    this.#byClient = new BoundedMap(MAX_SESSIONS, (_, session) => {
      this.#byId.delete(session.id);
      onEnd(session);
    });
  }

  /** The session of a client that asks (again); it lives for `span` from now on. */
  open(group: Group, client: Session['client'], span: Millis, now: Millis): Session {
    const key = `${group.family} ${group.address} ${group.port} ${client.segment.ifindex} ${client.address} ${client.port}`;
    const known = this.#byClient.get(key);
    if (known === undefined && this.size >= MAX_SESSIONS) this.#makeRoom();
    const session: Open = known ?? {
      id: this.#next++,
      group,
      client,
      exits: new Set(),
      ids: new Set(),
      until: now,
    };
    session.until = Math.max(session.until, now + span) as Millis;
    this.#byId.set(session.id, session);
    this.#byClient.set(key, session);
    return session;
  }

  sentBy({ id }: Session, ifindexes: readonly number[]): void {
    const exits = this.#byId.get(id)?.exits;
    for (const ifindex of ifindexes) exits?.add(ifindex);
  }

  asks({ id }: Session, dnsId: number): void {
    const ids = this.#byId.get(id)?.ids;
    if (ids === undefined) return;
    ids.delete(dnsId);
    ids.add(dnsId);
    const [oldest] = ids;
    if (ids.size > MAX_IDS && oldest !== undefined) ids.delete(oldest);
  }

  hasAsked({ id }: Session, dnsId: number): boolean {
    return this.#byId.get(id)?.ids.has(dnsId) === true;
  }

  get(id: number, now: Millis): Session | undefined {
    const session = this.#byId.get(id);
    return session !== undefined && session.until > now ? session : undefined;
  }

  get size(): number {
    return this.#byId.size;
  }

  expire(now: Millis): void {
    this.endWhere((session) => session.until <= now);
  }

  endWhere(isOver: (session: Session) => boolean): void {
    for (const [key, session] of this.#byClient.entries()) if (isOver(session)) this.#end(key, session);
  }

  #makeRoom(): void {
    const counts = new Map<number, number>(); // BOUNDED: by the sessions
    for (const { client } of this.#byId.values())
      counts.set(client.segment.ifindex, (counts.get(client.segment.ifindex) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [key, session] of this.#byClient.entries())
      if (counts.get(session.client.segment.ifindex) === most) {
        this.#end(key, session);
        return;
      }
  }

  #end(key: string, session: Open): void {
    this.#byClient.delete(key);
    this.#byId.delete(session.id);
    this.onEnd(session);
  }

  get nextDue(): number {
    let next = Infinity;
    for (const { until } of this.#byId.values()) next = Math.min(next, until);
    return next;
  }
}
