import { isShortage, KernelError, millis, type Cancel } from '@pp/base';
import type { GroupDatagram, GroupPort, GroupSender } from '@pp/ports';
import { groupKey, type Group } from './core/group';
import type { Segment } from './core/topology';
import type { Doors } from './doors';

interface Member {
  readonly port: GroupPort;
  /** A group is joined anew when this host's address on the link changes: reports bear it. */
  readonly own: string;
}

interface Sender {
  readonly group: Group;
  readonly ifindexes: readonly number[];
  readonly sender: GroupSender;
}

/** A port that could not be opened is tried again after this. */
const REOPEN = millis(1000);

/** What goes wrong while an interface comes or goes, or without its family; a reopening finds out. */
const PASSING = new Set(['ENODEV', 'ENXIO', 'EADDRNOTAVAIL', 'EADDRINUSE', 'ENETDOWN', 'EAFNOSUPPORT']);

export interface MemberPortsParts {
  readonly doors: Pick<Doors, 'ports' | 'clock' | 'log'>;
  readonly onDatagrams: (group: Group, batch: readonly GroupDatagram[]) => void;
}

/** One port for each group on each interface that takes part, as interfaces and groups come and go. */
export class MemberPorts {
  readonly #parts: MemberPortsParts;
  /** By ifindex, of each group. */
  readonly #members = new Map<Group, Map<number, Member>>(); // BOUNDED: by the groups and interfaces
  readonly #refused = new Map<string, string>();
  #wanted: { readonly segments: readonly Segment[]; readonly groups: readonly Group[] } = {
    segments: [],
    groups: [],
  };
  #reopen: Cancel | null = null;
  /** A stream of packets goes by the same interfaces. */
  #last: Sender | null = null;

  constructor(parts: MemberPortsParts) {
    this.#parts = parts;
  }

  sync(segments: readonly Segment[], groups: readonly Group[]): void {
    this.#wanted = { segments, groups };
    this.#refused.clear();
    this.#last = null;
    for (const [group, members] of this.#members) {
      const wanted = groups.includes(group) ? segments : [];
      for (const [ifindex, { port, own }] of members) {
        if (wanted.some((each) => each.ifindex === ifindex && isFor(each, group, own))) continue;
        port.close();
        members.delete(ifindex);
      }
      if (members.size === 0) this.#members.delete(group);
    }
    for (const segment of segments)
      for (const group of groups)
        if (segment.speaks[group.family] && this.get(group, segment.ifindex) === undefined)
          this.#open(group, segment);
  }

  get(group: Group, ifindex: number): GroupPort | undefined {
    return this.#members.get(group)?.get(ifindex)?.port;
  }

  /** Sends by the ports of a group on these interfaces, as far as they are open; of use until the next change. */
  senderTo(group: Group, ifindexes: readonly number[]): GroupSender {
    const last = this.#last;
    return last !== null && last.group === group && last.ifindexes === ifindexes
      ? last.sender
      : this.#newSender(group, ifindexes);
  }

  #newSender(group: Group, ifindexes: readonly number[]): GroupSender {
    const ports = ifindexes.flatMap((ifindex) => this.get(group, ifindex) ?? []);
    const sender = this.#parts.doors.ports.sender(ports);
    this.#last = { group, ifindexes, sender };
    return sender;
  }

  /** Groups that are open on an interface. */
  openOn(ifindex: number): readonly string[] {
    return [...this.#members].flatMap(([group, members]) => (members.has(ifindex) ? [groupKey(group)] : []));
  }

  /** Why a group is not open where it should be. */
  get refused(): readonly string[] {
    return [...this.#refused.values()];
  }

  close(): void {
    this.#reopen?.();
    this.#reopen = null;
    this.#last = null;
    for (const members of this.#members.values()) for (const { port } of members.values()) port.close();
    this.#members.clear();
  }

  #open(group: Group, segment: Segment): void {
    const { doors, onDatagrams } = this.#parts;
    const { ifname, ifindex } = segment;
    try {
      const port = doors.ports.openGroup({
        family: group.family,
        group: group.address,
        port: group.port,
        ifname,
        ifindex,
        hopLimit: group.hopLimit,
        onDatagrams: (batch) => {
          onDatagrams(group, batch);
        },
        onFault: ({ message: error }) => {
          doors.log.debug('member.fault', { group: groupKey(group), ifname, error });
        },
      });
      const members = this.#members.get(group) ?? new Map<number, Member>();
      this.#members.set(group, members.set(ifindex, { port, own: ownText(segment, group) }));
      doors.log.info('member.joined', { group: groupKey(group), ifname });
    } catch (fault) {
      if (!(fault instanceof KernelError) || !(PASSING.has(fault.code) || isShortage(fault))) throw fault;
      this.#refused.set(`${ifindex} ${groupKey(group)}`, fault.message);
      doors.log.debug('member.refused', { group: groupKey(group), ifname, error: fault.message });
      this.#reopen ??= doors.clock.after('mcastfwd.reopen', REOPEN, () => {
        this.#reopen = null;
        this.sync(this.#wanted.segments, this.#wanted.groups);
      });
    }
  }
}

const isFor = (segment: Segment, group: Group, own: string): boolean =>
  segment.speaks[group.family] && ownText(segment, group) === own;

const ownText = ({ prefixes }: Segment, { family }: Group): string =>
  prefixes.find((prefix) => prefix.family === family)?.address ?? '';
