import { millis, type Cancel } from '@pp/base';
import type { DatapathLoss, InterfacesView } from '@pp/ports';
import { isLinkLocal } from '@pp/wire';
import type { Moved } from './core/action';
import {
  LIMITS,
  NESTED_NEIGHBORS_PER_MAC,
  NEVER,
  type Limits,
  type LoopPolicy,
  type Mode,
  type Switches,
} from './core/limits';
import type { Policy } from './core/policy';
import type { DesiredGroup } from './groups/desired-groups';
import type { Doors } from './doors';
import { GroupRunner, type Traced } from './group-runner';
import { SolicitedNodeGroups } from './memberships';
import { bytesOf, RouteSync } from './route-sync';
import { sharedPrefixes, wayFor, type SharedPrefixes } from './route-wish';

export interface ProxySettings {
  readonly mode: Mode;
  readonly loopPolicy: LoopPolicy;
  readonly switches: Switches;
  readonly policy: Policy;
  /** A downstream opens after two advertisements (RFC 4389 §6), and not because there was none for long. */
  readonly strict: boolean;
}

/** What an interface takes along when it goes is told a moment before the interface: it is not missed then. */
const LOSSES_GATHER = millis(200);

/** All groups of a process, and what they share of the kernel: routes, the guard, multicast groups. */
export class ProxyService {
  readonly settings: ProxySettings;
  readonly doors: Doors;
  readonly routes: RouteSync;
  readonly joins: SolicitedNodeGroups;
  readonly #runners = new Map<string, GroupRunner>(); // BOUNDED: by those who make groups
  readonly #prefixes = new Map<string, SharedPrefixes>();
  /** Who was behind links that are in no group now; the manager has none without an uplink. BOUNDED: as the location tables. */
  readonly #away = new Map<number, Uint8Array[]>();
  /** null: nobody has said yet. */
  #desired: readonly DesiredGroup[] | null = null;
  #view: InterfacesView = { links: [], addresses: [] };
  #isServing = false;
  #guarded: readonly string[] | null = null;
  #guardWork: Promise<void> = Promise.resolve();
  #restoring: Cancel | null = null;
  /** null: in place. */
  guardFault: string | null = null;
  /** Gets every frame, while somebody traces. */
  tracer: ((traced: Traced) => void) | null = null;

  constructor(settings: ProxySettings, doors: Doors) {
    this.settings = settings;
    this.doors = doors;
    this.routes = new RouteSync(doors.routes, doors.log, doors.seed);
    this.joins = new SolicitedNodeGroups(doors.memberships, doors.clock);
  }

  get runners(): Iterable<GroupRunner> {
    return this.#runners.values();
  }

  get view(): InterfacesView {
    return this.#view;
  }

  /** Serves from here on: interfaces are followed, and routes of an earlier process are taken over or removed. */
  async start(): Promise<void> {
    await this.doors.interfaces.start((view) => {
      this.#view = view;
      this.#isServing = true;
      this.#sync();
    });
    await this.doors.losses.start((loss) => {
      this.#onLoss(loss);
    });
    if (this.#desired !== null) await this.#adopt();
    this.#guard();
    await Promise.all([this.#guardWork, this.routes.settled()]);
  }

  /** All groups that there are to be. Until the first call what an earlier process left stays as it is. */
  setGroups(desired: readonly DesiredGroup[]): void {
    const isFirst = this.#desired === null;
    this.#desired = desired;
    if (!this.#isServing) return;
    this.#sync();
    if (isFirst) void this.#adopt();
  }

  /** The segment behind an interface and its upstream, if it is a downstream now. */
  placeOf(ifindex: number): { readonly ifname: string; readonly upstream: string } | undefined {
    for (const { group, desired } of this.#runners.values()) {
      const link = group.state.members.get(ifindex)?.link;
      if (link?.role === 'downstream' && desired.upstream !== null)
        return { ifname: link.ifname, upstream: desired.upstream };
    }
    return undefined;
  }

  /** The host is as it was without us. */
  async stop(): Promise<void> {
    this.doors.losses.close();
    this.#restoring?.();
    this.doors.interfaces.close();
    for (const runner of this.#runners.values()) runner.close();
    this.#runners.clear();
    await this.#guardWork;
    await this.doors.guard.remove();
    this.joins.close();
    await this.routes.close();
  }

  async #adopt(): Promise<void> {
    for (const { address, ifindex } of await this.routes.adopt()) this.#takeOver(bytesOf(address), ifindex);
  }

  /** Somebody flushed what is not his: nftables, or routes. */
  #onLoss(loss: DatapathLoss): void {
    if (loss.on === 'table') this.doors.log.warn('guard.lost', { by: loss.by });
    if (loss.on === 'table' || loss.on === 'unknown') this.#guarded = null;
    else if (loss.on !== 'route' || !this.routes.isInstalled(loss.dst)) return;
    this.#restoring ??= this.doors.clock.after('ndproxy.restore', LOSSES_GATHER, () => {
      this.#restoring = null;
      this.#guard();
      void this.routes.restore();
    });
  }

  #sync(): void {
    const wanted = this.#desired ?? [];
    for (const [name, runner] of this.#runners) {
      if (wanted.some((group) => group.name === name)) continue;
      this.#syncRunner(runner, { ...runner.desired, upstream: null, downstreams: [] });
      runner.close();
      this.#runners.delete(name);
      this.#prefixes.delete(name);
    }
    for (const group of wanted) this.#syncRunner(this.#runnerOf(group), group);
    this.#bringBack();
    this.#guard();
  }

  /** Nodes say nothing when an uplink is back: they are asked whether they are still behind their links. */
  #bringBack(): void {
    for (const [ifindex, addresses] of this.#away) {
      const runner = [...this.#runners.values()].find((each) => isDownstream(each, ifindex));
      if (runner === undefined && this.#hasLink(ifindex)) continue;
      this.#away.delete(ifindex);
      for (const address of addresses) if (!this.#isLocated(address)) runner?.restore(address, ifindex);
    }
  }

  #isLocated(address: Uint8Array): boolean {
    return [...this.#runners.values()].some(({ group }) => group.state.table.get(address) !== undefined);
  }

  #runnerOf(desired: DesiredGroup): GroupRunner {
    const known = this.#runners.get(desired.name);
    if (known !== undefined) return known;
    const { mode, loopPolicy, switches, policy } = this.settings;
    const limits = limitsOf(this.settings);
    const { seed, randomBytes } = this.doors;
    const { name } = desired;
    const settings = { name, mode, loopPolicy, switches, policy, limits, seed, randomBytes };
    const runner: GroupRunner = new GroupRunner(desired, settings, this.doors, {
      onMove: (moved) => {
        this.#onMove(runner, moved);
      },
      onAdvert: () => {
        this.#refreshPrefixes(runner);
      },
      tracer: () => this.tracer,
    });
    this.#runners.set(desired.name, runner);
    return runner;
  }

  #syncRunner(runner: GroupRunner, desired: DesiredGroup): void {
    const { members, table } = runner.group.state;
    const before = new Set(members.keys());
    runner.sync(desired, this.#view);
    for (const ifindex of before) if (!members.has(ifindex)) this.#onMemberGone(ifindex);
    for (const [ifindex, member] of members) {
      if (before.has(ifindex)) continue;
      this.joins.addInterface(ifindex);
      if (member.link.isDirect === true) continue;
      for (const { address, ifindex: home } of table.entries())
        if (home !== ifindex && isDownstream(runner, home)) this.joins.add(address, [ifindex]);
    }
    this.#refreshPrefixes(runner);
  }

  #onMemberGone(ifindex: number): void {
    this.joins.removeInterface(ifindex);
    if (!this.#hasLink(ifindex)) this.routes.forgetInterface(ifindex);
  }

  #hasLink(ifindex: number): boolean {
    return this.#view.links.some((link) => link.ifindex === ifindex);
  }

  #onMove(runner: GroupRunner, { move: { to, address, ifindex }, role }: Moved): void {
    const { state } = runner.group;
    this.#wish(runner, address);
    if (role !== 'downstream') return;
    const others = [...state.members.values()].flatMap(({ link }) =>
      link.ifindex === ifindex || link.isDirect === true ? [] : [link.ifindex],
    );
    if (to === 'located') this.joins.add(address, others);
    else {
      this.joins.remove(address, others);
      if (!state.members.has(ifindex) && !isLinkLocal(address)) this.#isAway(address, ifindex);
    }
  }

  #isAway(address: Uint8Array, ifindex: number): void {
    const others = this.#away.get(ifindex);
    if (others === undefined) this.#away.set(ifindex, [address]);
    else others.push(address);
  }

  #sharedBy(runner: GroupRunner): SharedPrefixes {
    return this.#prefixes.get(runner.desired.name) ?? { prefixes: [], sources: [] };
  }

  /** When the shared prefixes or our own addresses change, so do the routes. */
  #refreshPrefixes(runner: GroupRunner): void {
    const { state } = runner.group;
    const shared = sharedPrefixes(state, this.#view, this.doors.clock.now());
    const before = this.#prefixes.get(runner.desired.name);
    if (JSON.stringify(before) === JSON.stringify(shared)) return;
    this.#prefixes.set(runner.desired.name, shared);
    for (const { address } of state.table.entries()) this.#wish(runner, address);
  }

  /** Where two uplinks are on one LAN, groups hear of each other's guests there: who has it behind a downstream knows the way. */
  #wish(first: GroupRunner, address: Uint8Array): void {
    const runners = new Set([first, ...this.#runners.values()]);
    for (const runner of runners) {
      const way = wayFor(runner.group.state, address, this.#sharedBy(runner));
      if (way === null) continue;
      this.routes.wish(address, way);
      return;
    }
    this.routes.wish(address, null);
  }

  #takeOver(address: Uint8Array, ifindex: number): void {
    const runner = [...this.#runners.values()].find((each) => isDownstream(each, ifindex));
    if (runner === undefined) this.routes.wish(address, null);
    else runner.restore(address, ifindex);
  }

  /** The kernel routes for us, but never neighbour discovery; in bridge mode it routes nothing between members. */
  #guard(): void {
    const ifnames = this.#guardable();
    if (this.#guarded !== null && ifnames.join(' ') === this.#guarded.join(' ')) return;
    this.#guarded = ifnames;
    this.#guardWork = this.#guardWork
      .then(() => this.doors.guard.protect(ifnames, this.#guardsFrom))
      .then(
        () => {
          this.guardFault = null;
        },
        (fault: unknown) => {
          this.guardFault = fault instanceof Error ? fault.message : String(fault);
          this.doors.log.warn('guard.refused', { error: this.guardFault });
        },
      );
  }

  get #guardsFrom(): Parameters<Doors['guard']['protect']>[1] {
    return this.settings.mode === 'bridge' ? 'all ipv6' : 'neighbor discovery';
  }

  /** A bridge whose frames netfilter sees must not be guarded: its packet sockets come after netfilter (bridge-nf-call-ip6tables). */
  #guardable(): readonly string[] {
    const isFiltered = this.doors.sysctl('net/bridge/bridge-nf-call-ip6tables') === '1';
    const kinds = new Map(this.#view.links.map(({ ifindex, kind }) => [ifindex, kind]));
    const members = [...this.#runners.values()].flatMap(({ group }) => [...group.state.members.values()]);
    return members
      .filter(({ link }) => !(isFiltered && kinds.get(link.ifindex) === 'bridge'))
      .map(({ link }) => link.ifname)
      .sort();
  }
}

const limitsOf = ({ loopPolicy, strict }: ProxySettings): Limits => ({
  ...LIMITS,
  ...(loopPolicy === 'nested' ? { neighborsPerMac: NESTED_NEIGHBORS_PER_MAC } : {}),
  ...(strict ? { gateQuiet: NEVER } : {}),
});

const isDownstream = (runner: GroupRunner, ifindex: number): boolean =>
  runner.group.state.members.get(ifindex)?.link.role === 'downstream';
