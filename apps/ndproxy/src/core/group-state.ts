import { TokenBucket, type Millis } from '@pp/base';
import { isLinkLocal, isMulticast, isUnspecified, NaFlag } from '@pp/wire';
import type { Action } from './action';
import { Counters } from './counters';
import type { Limits, LoopPolicy, Mode, Switches } from './limits';
import { Detours } from './detours';
import { Leavers } from './leavers';
import { LocationTable, type Move, type Sighting } from './location-table';
import type { Member, MemberLink } from './member';
import { announcement } from './our-messages';
import { OwnAddresses } from './own-addresses';
import { Pending } from './pending';
import { isProxied, type Policy } from './policy';
import { RecentData } from './recent-data';
import { RecentMessages } from './recent-messages';
import { Routers, type KnownPrefix, type KnownRouter } from './routers';
import { isEui64, Suspects, underPrefix, type Suspect } from './suspects';
import type { Allocate } from './translate';
import { weigh } from './way-to';

export interface GroupSettings {
  readonly name: string;
  readonly mode: Mode;
  readonly loopPolicy: LoopPolicy;
  readonly switches: Switches;
  readonly policy: Policy;
  readonly limits: Limits;
  /** Where frames of `send` actions lie; the caller may use the memory again once they are sent. */
  readonly allocate?: Allocate;
  /** Of hash tables; nobody outside may know it. */
  readonly seed?: number;
  /** So many bytes that nobody can guess. */
  readonly randomBytes: (n: number) => Uint8Array;
}

/** An upstream, and what its routers say. */
export interface UpstreamRouters {
  readonly link: MemberLink;
  readonly routers: readonly KnownRouter[];
}

/** Everything one group knows. Handlers read and change it; what is to be done outside is appended to `actions`. */
export class GroupState {
  readonly members = new Map<number, Member>(); // BOUNDED: by the interfaces of the host
  ownAddresses = new OwnAddresses([]);
  ownMacs: ReadonlySet<number> = new Set();
  readonly table: LocationTable;
  readonly detours = new Detours();
  readonly recent: RecentMessages;
  readonly recentData: RecentData;
  readonly pending: Pending;
  readonly suspects: Suspects;
  readonly leavers: Leavers | null;
  readonly routers: Routers;
  readonly counters = new Counters();
  readonly probes: TokenBucket;
  readonly errors: TokenBucket;
  /** The upstream that went last, while no router was heard since. */
  lost: UpstreamRouters | null = null;
  /** Another service relays mDNS and SSDP between the members. */
  leavesDiscovery = false;
  /** The whole group is off until then. */
  disabledUntil = -Infinity;
  /** Router solicitations of our own that are still to be sent, and when. */
  routerSolicits = { left: 0, dueAt: Infinity };
  probesDueAt = Infinity;
  actions: Action[] = [];
  /** Destinations of waiting messages that have just been heard. BOUNDED: by those that wait. */
  found: Uint8Array[] = [];

  constructor(
    readonly settings: GroupSettings,
    now: Millis,
  ) {
    const { limits } = settings;
    const onMove = (move: Move): void => {
      this.actions.push({ do: 'move', move, role: this.members.get(move.ifindex)?.link.role });
    };
    this.table = new LocationTable(limits, onMove, settings.seed);
    this.recent = new RecentMessages(limits.recent, this.detours);
    this.recentData = new RecentData(limits.recent, this.detours);
    this.pending = new Pending(limits);
    this.suspects = new Suspects(limits);
    this.leavers = settings.switches.announceMoves ? new Leavers(limits, now) : null;
    this.routers = new Routers(limits.routers);
    this.probes = new TokenBucket(limits.solicitsPerSecond, now);
    this.errors = new TokenBucket(limits.errorsPerSecond, now);
  }

  /** What was appended since the last call. */
  takeActions(): Action[] {
    const taken = this.actions;
    this.actions = [];
    return taken;
  }

  get upstream(): Member | undefined {
    for (const member of this.members.values()) if (member.link.role === 'upstream') return member;
    return undefined;
  }

  downstreams(): readonly Member[] {
    return [...this.members.values()].filter(({ link }) => link.role === 'downstream');
  }

  /** Whether this host has the address, or the one that begins at `at`. */
  isOwn(bytes: Uint8Array, at = 0): boolean {
    return this.ownAddresses.has(bytes, at);
  }

  isDisabled(now: Millis): boolean {
    return now < this.disabledUntil;
  }

  /** Notes where a node is, unless it is none: a group, "::", or this host; or is not proxied. */
  learn(heard: Sighting, now: Millis): void {
    const { address } = heard;
    if (isUnspecified(address) || isMulticast(address) || this.isOwn(address)) return;
    if (!isProxied(this.settings.policy, address)) return;
    const sighting = this.detours.areKnown ? weigh(this, heard, now) : heard;
    if (sighting === null) return;
    const before = this.leavers === null ? undefined : this.table.get(address)?.ifindex;
    const isNews = this.table.learn(sighting, now);
    if (this.leavers !== null) this.#announce(this.leavers, before, sighting, now);
    this.suspects.heard(address, sighting.ifindex, sighting.mac, now);
    if (isNews) for (const prefix of this.routers.prefixes(now)) this.suggest(sighting, prefix, now);
    if (this.pending.has(address)) this.found.push(address.slice());
    this.probesDueAt = Math.min(this.probesDueAt, now + 1000);
  }

  #announce(leavers: Leavers, before: number | undefined, sighting: Sighting, now: Millis): void {
    const { address } = sighting;
    const left = leavers.heard(sighting, before, this.table.get(address)?.ifindex, now);
    const member = left === null ? undefined : this.members.get(left);
    if (member === undefined || member.link.isPointToPoint === true || !member.isOpen(now)) return;
    const isRouter = this.routers.isCurrent(address, now);
    this.originate(
      member,
      announcement(member.link, address, NaFlag.override | (isRouter ? NaFlag.router : 0)),
    );
  }

  /** A node of a downstream with such a link-local address may have its like under this prefix, too. */
  suggest({ address, ifindex, mac }: Suspect, { prefix, length }: KnownPrefix, now: Millis): void {
    if (length !== 64 || !isLinkLocal(address) || !isEui64(address)) return;
    if (this.members.get(ifindex)?.link.role !== 'downstream') return;
    const suggested = underPrefix(prefix, address);
    if (this.table.get(suggested) !== undefined || this.isOwn(suggested)) return;
    if (!isProxied(this.settings.policy, suggested)) return;
    this.suspects.addSuggested({ address: suggested, ifindex, mac }, now);
  }

  send(member: Member, frame: Uint8Array): void {
    member.sent += 1;
    this.counters.sent += 1;
    this.actions.push({ do: 'send', ifindex: member.link.ifindex, frame });
  }

  /** As `send`, of data. */
  carry(member: Member, frame: Uint8Array): void {
    member.sent += 1;
    this.counters.sent += 1;
    this.actions.push({ do: 'carry', ifindex: member.link.ifindex, frame });
  }

  /** Whom an ICMPv6 error to that segment is from: an address that reaches beyond links where there is one (RFC 4443 §2.2). */
  errorSource(member: Member): Uint8Array | null {
    for (const { global } of [member, ...this.members.values()]) if (global !== null) return global;
    return member.linkLocal;
  }

  /** As `send`, of a message in our own name. */
  originate(member: Member, frame: Uint8Array): void {
    this.counters.originated += 1;
    this.send(member, frame);
  }

  tell(event: string, fields: Readonly<Record<string, string | number>>): void {
    this.actions.push({ do: 'tell', event, fields: { group: this.settings.name, ...fields } });
  }
}
