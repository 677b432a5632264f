import { KernelError, millis, type Cancel } from '@pp/base';
import type { GroupDatagram, InterfacesView } from '@pp/ports';
import type { Action, Step } from './core/action';
import { groupKey, type Group } from './core/group';
import { Relay } from './core/relay';
import type { Session } from './core/sessions';
import type { Absence } from './core/topology';
import type { Doors } from './doors';
import { MemberPorts } from './member-ports';
import { Outbox } from './outbox';
import { SearchPortTable } from './search-ports';
import type { Settings } from './settings';

/** A packet and what became of it, for whoever traces. The datagram is borrowed. */
export interface Traced {
  readonly group: Group;
  readonly ifname: string;
  readonly datagram: GroupDatagram;
  /** An answer to a searcher. */
  readonly isReply: boolean;
  readonly step: Step;
}

/** Gives the relay packets, time and interfaces, and does what it says. */
export class McastService {
  readonly relay = new Relay();
  readonly doors: Doors;
  readonly ports: MemberPorts;
  readonly searches: SearchPortTable;
  readonly #outbox: Outbox;
  #settings: Settings;
  #view: InterfacesView = { links: [], addresses: [] };
  #missing: ReadonlyMap<string, Absence> = new Map();
  #isServing = false;
  #wake: { readonly at: number; readonly cancel: Cancel } | null = null;
  /** Gets every packet, while somebody traces. */
  tracer: ((traced: Traced) => void) | null = null;

  constructor(settings: Settings, doors: Doors) {
    this.#settings = settings;
    this.doors = doors;
    this.ports = new MemberPorts({
      doors,
      onDatagrams: (group, batch) => {
        this.#onPackets(group, batch);
      },
    });
    this.#outbox = new Outbox({
      senderTo: (group, ifindexes) => this.ports.senderTo(group, ifindexes),
      onSent: (group, sent, refused) => {
        this.relay.counters(group).sent += sent;
        for (const fault of refused) this.#refused(group, fault);
      },
    });
    this.searches = new SearchPortTable(doors, (session, batch) => {
      this.#onAnswers(session, batch);
    });
  }

  get settings(): Settings {
    return this.#settings;
  }

  async start(): Promise<void> {
    await this.doors.interfaces.start((view) => {
      this.#view = view;
      this.#isServing = true;
      this.#sync();
    });
  }

  change(settings: Settings): void {
    const gone = this.#settings.groups.filter((group) => !settings.groups.includes(group));
    this.#settings = settings;
    for (const group of gone) this.#do(this.relay.forgetGroup(group));
    if (this.#isServing) this.#sync();
  }

  stop(): void {
    this.doors.interfaces.close();
    this.#wake?.cancel();
    this.searches.close();
    this.ports.close();
  }

  #sync(): void {
    const { links, groups, policy, told } = this.#settings;
    const forwards = [...policy.forwards, ...told];
    this.#do(this.relay.update(links, this.#view, { ...policy, forwards }));
    const { segments, missing } = this.relay.topology;
    for (const [ifname, why] of missing)
      if (this.#missing.get(ifname) !== why) this.doors.log.info('interface.awaited', { ifname, why });
    this.#missing = missing;
    this.ports.sync([...segments.values()], groups);
    this.#settle();
  }

  #onPackets(group: Group, batch: readonly GroupDatagram[]): void {
    const now = this.doors.clock.now();
    for (const datagram of batch) {
      const step = this.relay.receive(group, datagram, now);
      if (this.tracer !== null) this.#trace(group, datagram, false, step);
      this.#do(step.actions);
    }
    this.#settle();
  }

  #onAnswers(session: Session, batch: readonly GroupDatagram[]): void {
    const now = this.doors.clock.now();
    for (const datagram of batch) {
      const step = this.relay.reply(session.group, session.id, datagram, now);
      if (this.tracer !== null) this.#trace(session.group, datagram, true, step);
      this.#do(step.actions);
    }
    this.#settle();
  }

  #trace(group: Group, datagram: GroupDatagram, isReply: boolean, step: Step): void {
    const segment = this.relay.topology.segments.get(datagram.ifindex);
    this.tracer?.({ group, ifname: segment?.ifname ?? `#${datagram.ifindex}`, datagram, isReply, step });
  }

  #do(actions: readonly Action[]): void {
    for (const action of actions) {
      switch (action.do) {
        case 'send':
          this.#outbox.add(action.group, action.ifindexes, action.payload);
          break;
        case 'search':
          this.#search(action);
          break;
        case 'answer':
          this.#answer(action.session, action.payload);
          break;
        case 'end':
          this.searches.end(action.session);
          break;
        case 'tell':
          this.doors.log.warn(action.event, action.fields);
          break;
      }
    }
  }

  #search({ session, ifindexes, payload }: Extract<Action, { do: 'search' }>): void {
    const { group } = session;
    const port = this.searches.of(session);
    if (port === null) this.relay.counters(group).sendFailures += ifindexes.length;
    else
      for (const ifindex of ifindexes)
        this.#send(group, () => {
          port.send(payload, ifindex, group.address, group.port);
        });
  }

  /** From our address on the searcher's link: from the group's port, or from the session's where a searcher wants that. */
  #answer(session: Session, payload: Uint8Array): void {
    const { group, client } = session;
    const { ifindex } = client.segment;
    this.#send(group, () => {
      if (this.#settings.policy.replyFrom === 'session')
        this.searches.of(session)?.send(payload, ifindex, client.address, client.port);
      else this.ports.get(group, ifindex)?.answer(payload, client.address, client.port);
    });
  }

  /** A send that fails is counted: a firewall or an interface on its way out must not stop the others. */
  #send(group: Group, send: () => void): void {
    try {
      send();
      this.relay.counters(group).sent++;
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      this.#refused(group, fault);
    }
  }

  #refused(group: Group, { message: error }: KernelError): void {
    this.relay.counters(group).sendFailures++;
    this.doors.log.debug('send.refused', { group: groupKey(group), error });
  }

  /** What waits goes out, and the clock is set for what is due next. */
  #settle(): void {
    this.#outbox.flush();
    const due = this.relay.nextDue();
    if (this.#wake !== null && this.#wake.at <= due) return;
    this.#wake?.cancel();
    this.#wake = due === Infinity ? null : { at: due, cancel: this.#wakeAt(due) };
  }

  #wakeAt(due: number): Cancel {
    const { clock } = this.doors;
    return clock.after('mcastfwd.tick', millis(Math.max(1, due - clock.now())), () => {
      this.#wake = null;
      this.#do(this.relay.tick(clock.now()));
      this.#settle();
    });
  }
}
