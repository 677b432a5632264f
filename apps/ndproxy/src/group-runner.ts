import { ByteArena, isShortage, millis, type Cancel, type Millis } from '@pp/base';
import { isInterfaceFault, sendAll, type FrameFacts, type InterfacesView, type PacketPort } from '@pp/ports';
import { ipv6ToBytes, parseCidr } from '@pp/wire';
import type { Action, Moved } from './core/action';
import { Group, type Step } from './core/group';
import type { GroupSettings } from './core/group-state';
import type { MemberLink } from './core/member';
import type { OwnAddress } from './core/own-addresses';
import type { DesiredGroup } from './groups/desired-groups';
import type { Doors } from './doors';
import { openMemberPorts, type MemberPorts } from './member-ports';
import { membersOf, type Absence } from './membership';

/** One frame and what became of it, for whoever traces. */
export interface Traced {
  readonly group: string;
  readonly ifname: string;
  readonly outgoing: boolean;
  readonly step: Step;
}

export interface RunnerHooks {
  readonly onMove: (moved: Moved) => void;
  /** An advertisement may have told prefixes. */
  readonly onAdvert: () => void;
  /** null: nobody traces. The packet is borrowed. */
  readonly tracer: () => ((traced: Traced) => void) | null;
}

/** Frames that gather, by way out. */
type Outbox = Map<number, Uint8Array[]>;

/** A port that could not be opened is tried again after this. */
const REOPEN = millis(1000);

/** Runs one group: opens its ports as interfaces come and go, gives it frames and time, and does what it says. */
export class GroupRunner {
  readonly group: Group;
  readonly #doors: Doors;
  readonly #hooks: RunnerHooks;
  readonly #ports = new Map<number, MemberPorts>(); // BOUNDED: by the interfaces
  /** Told after the frames are out: nobody on the wire waits for routes. BOUNDED: as the outbox. */
  readonly #moves: Moved[] = [];
  readonly #arena = new ByteArena();
  readonly #outbox: Outbox = new Map(); // BOUNDED: by the interfaces; emptied after each batch
  readonly #dataOutbox: Outbox = new Map(); // BOUNDED: as above
  /** Of the batch whose frames are coming; null: of none. */
  #now: Millis | null = null;
  #desired: DesiredGroup;
  #view: InterfacesView = { links: [], addresses: [] };
  #missing: ReadonlyMap<string, Absence> = new Map();
  #wake: { readonly at: number; readonly cancel: Cancel } | null = null;
  #reopen: Cancel | null = null;
  /** Frames that the kernel did not take. */
  sendFailures = 0;

  constructor(desired: DesiredGroup, settings: GroupSettings, doors: Doors, hooks: RunnerHooks) {
    this.#desired = desired;
    this.#doors = doors;
    this.#hooks = hooks;
    const allocate = (length: number): Uint8Array => this.#arena.allocate(length);
    this.group = new Group({ ...settings, allocate }, doors.clock.now());
  }

  get desired(): DesiredGroup {
    return this.#desired;
  }

  get missing(): ReadonlyMap<string, Absence> {
    return this.#missing;
  }

  /** The interfaces are so now, or the group is to be so. */
  sync(desired: DesiredGroup, view: InterfacesView): void {
    this.#desired = desired;
    this.#view = view;
    this.group.state.leavesDiscovery = desired.leavesDiscovery === true;
    const { links, missing } = membersOf(desired, this.group.state.settings.mode, view);
    this.#tellMissing(missing);
    const open = links.filter((link) => this.#open(link));
    this.#do(this.group.update(open, ownAddresses(view), this.#doors.clock.now()));
    this.#settle(); // before ports are closed: it may be for those who leave
    this.#closeAllBut(new Set(links.map(({ ifindex }) => ifindex)));
  }

  /** A node that was behind an interface before a restart. */
  restore(address: Uint8Array, ifindex: number): void {
    this.#do(this.group.restore(address, ifindex, this.#doors.clock.now()));
    this.#settle();
  }

  /** Frames that came faster than they were read, since the last call. */
  missed(): number {
    return [...this.#ports.values()].reduce(
      (sum, { nd, data }) => sum + nd.missed() + (data?.missed() ?? 0),
      0,
    );
  }

  close(): void {
    this.#wake?.cancel();
    this.#reopen?.();
    this.#closeAllBut(new Set());
  }

  #tellMissing(missing: ReadonlyMap<string, Absence>): void {
    const { log } = this.#doors;
    const { name: group } = this.#desired;
    for (const [ifname, why] of missing)
      if (this.#missing.get(ifname) !== why) log.info('interface.awaited', { group, ifname, why });
    this.#missing = missing;
  }

  #closeAllBut(wanted: ReadonlySet<number>): void {
    for (const [ifindex, { nd, data }] of this.#ports) {
      if (wanted.has(ifindex)) continue;
      nd.close();
      data?.close();
      this.#ports.delete(ifindex);
      this.#outbox.delete(ifindex);
      this.#dataOutbox.delete(ifindex);
      this.#doors.log.info('member.left', { group: this.#desired.name, ifindex });
    }
  }

  /** Whether there is a port now. */
  #open(link: MemberLink): boolean {
    const { ifindex, ifname } = link;
    if (this.#ports.has(ifindex)) return true;
    const { log } = this.#doors;
    const { name: group } = this.#desired;
    try {
      this.#ports.set(ifindex, this.#openPorts(link));
      log.info('member.joined', { group, ifname, ifindex });
      return true;
    } catch (fault) {
      if (!isInterfaceFault(fault) && !isShortage(fault)) throw fault;
      log.debug('member.refused', { group, ifname, error: fault.message });
      this.#reopenLater();
      return false;
    }
  }

  #openPorts(link: MemberLink): MemberPorts {
    const { packets, log, clock } = this.#doors;
    const { ifindex, ifname } = link;
    return openMemberPorts({
      packets,
      link,
      mode: this.group.state.settings.mode,
      onFrame: (frame, facts) => {
        this.#onFrame(ifindex, ifname, frame, facts);
      },
      onData: (frame, facts) => {
        this.#do(this.group.stepData(ifindex, frame, facts, (this.#now ??= clock.now())));
      },
      onBatchEnd: () => {
        this.#now = null;
        this.#settle();
      },
      onFault: ({ message: error }) => {
        log.debug('member.fault', { group: this.#desired.name, ifname, error });
      },
    });
  }

  #reopenLater(): void {
    this.#reopen ??= this.#doors.clock.after('ndproxy.reopen', REOPEN, () => {
      this.#reopen = null;
      this.sync(this.#desired, this.#view);
    });
  }

  #onFrame(ifindex: number, ifname: string, frame: Uint8Array, facts: FrameFacts): void {
    const step = this.group.step(ifindex, frame, facts, (this.#now ??= this.#doors.clock.now()));
    const tracer = this.#hooks.tracer();
    if (tracer !== null) tracer({ group: this.#desired.name, ifname, outgoing: facts.outgoing, step });
    this.#do(step.actions);
    if (step.packet?.kind === 'router-advert') this.#hooks.onAdvert();
  }

  #do(actions: readonly Action[]): void {
    for (const action of actions) {
      switch (action.do) {
        case 'send':
          post(this.#outbox, action.ifindex, action.frame);
          break;
        case 'carry':
          post(this.#dataOutbox, action.ifindex, action.frame);
          break;
        case 'move':
          this.#moves.push(action);
          break;
        case 'tell':
          this.#doors.log.warn(action.event, action.fields);
          break;
      }
    }
  }

  /** Sends what has gathered, and sets the clock for what is due next. */
  #settle(): void {
    for (const [ifindex, frames] of this.#outbox) this.#send(this.#ports.get(ifindex)?.nd, frames);
    for (const [ifindex, frames] of this.#dataOutbox) this.#send(this.#ports.get(ifindex)?.data, frames);
    this.#arena.reset();
    if (this.#moves.length > 0) for (const moved of this.#moves.splice(0)) this.#hooks.onMove(moved);
    const due = this.group.nextDue();
    if (this.#wake !== null && this.#wake.at <= due) return;
    this.#wake?.cancel();
    this.#wake = null;
    if (due === Infinity) return;
    const { clock } = this.#doors;
    const delay = millis(Math.max(1, due - clock.now()));
    const cancel = clock.after('ndproxy.tick', delay, () => {
      this.#wake = null;
      this.#do(this.group.tick(clock.now()));
      this.#settle();
    });
    this.#wake = { at: due, cancel };
  }

  #send(port: PacketPort | null | undefined, frames: Uint8Array[]): void {
    if (port !== undefined && port !== null) this.sendFailures += sendAll(port, frames);
    frames.length = 0;
  }
}

function post(outbox: Outbox, ifindex: number, frame: Uint8Array): void {
  const frames = outbox.get(ifindex);
  if (frames === undefined) outbox.set(ifindex, [frame]);
  else frames.push(frame);
}

/** One that a duplicate check has found elsewhere is that other node's, and proxied as such. */
const ownAddresses = ({ addresses }: InterfacesView): readonly OwnAddress[] =>
  addresses.flatMap(({ ifindex, cidr, usable, duplicate }) => {
    const parsed = duplicate === true ? null : parseCidr(cidr);
    return parsed?.family === 'ipv6' ? [{ ifindex, address: ipv6ToBytes(parsed.address), usable }] : [];
  });
