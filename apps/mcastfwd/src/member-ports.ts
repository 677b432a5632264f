import { KernelError, millis, type Cancel } from '@pp/base';
import type { GroupDatagram, GroupPort } from '@pp/ports';
import { groupKey, type Group } from './core/group';
import type { Segment } from './core/topology';
import type { Doors } from './doors';

interface Member {
  readonly port: GroupPort;
  readonly group: Group;
  /** A group is joined anew when this host's address on the link changes: reports bear it. */
  readonly own: string;
}

/** A port that could not be opened is tried again after this. */
const REOPEN = millis(1000);

/** What goes wrong while an interface comes or goes, or without its family; a reopening finds out. */
const PASSING = new Set([
  'ENODEV',
  'ENXIO',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENETDOWN',
  'ENOBUFS',
  'ENOMEM',
  'EAFNOSUPPORT',
]);

export interface MemberPortsParts {
  readonly doors: Pick<Doors, 'ports' | 'clock' | 'log'>;
  readonly onDatagrams: (group: Group, batch: readonly GroupDatagram[]) => void;
}

/** One port for each group on each interface that takes part, as interfaces and groups come and go. */
export class MemberPorts {
  readonly #parts: MemberPortsParts;
  readonly #members = new Map<string, Member>(); // BOUNDED: by the interfaces and groups
  readonly #refused = new Map<string, string>();
  #wanted: { readonly segments: readonly Segment[]; readonly groups: readonly Group[] } = {
    segments: [],
    groups: [],
  };
  #reopen: Cancel | null = null;

  constructor(parts: MemberPortsParts) {
    this.#parts = parts;
  }

  sync(segments: readonly Segment[], groups: readonly Group[]): void {
    this.#wanted = { segments, groups };
    this.#refused.clear();
    const wanted = new Map(
      segments.flatMap((segment) =>
        groups
          .filter(({ family }) => segment.speaks[family])
          .map((group) => [keyOf(group, segment.ifindex), { group, segment, own: ownText(segment, group) }]),
      ),
    );
    for (const [key, { port, own }] of this.#members) {
      if (wanted.get(key)?.own === own) continue;
      port.close();
      this.#members.delete(key);
    }
    for (const [key, { group, segment, own }] of wanted)
      if (!this.#members.has(key)) this.#open(key, group, segment, own);
  }

  get(group: Group, ifindex: number): GroupPort | undefined {
    return this.#members.get(keyOf(group, ifindex))?.port;
  }

  /** Groups that are open on an interface. */
  openOn(ifindex: number): readonly string[] {
    return [...this.#members].flatMap(([key, { group }]) =>
      key === keyOf(group, ifindex) ? [groupKey(group)] : [],
    );
  }

  /** Why a group is not open where it should be. */
  get refused(): readonly string[] {
    return [...this.#refused.values()];
  }

  close(): void {
    this.#reopen?.();
    this.#reopen = null;
    for (const { port } of this.#members.values()) port.close();
    this.#members.clear();
  }

  #open(key: string, group: Group, { ifname, ifindex }: Segment, own: string): void {
    const { doors, onDatagrams } = this.#parts;
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
      this.#members.set(key, { port, group, own });
      doors.log.info('member.joined', { group: groupKey(group), ifname });
    } catch (fault) {
      if (!(fault instanceof KernelError) || !PASSING.has(fault.code)) throw fault;
      this.#refused.set(key, fault.message);
      doors.log.debug('member.refused', { group: groupKey(group), ifname, error: fault.message });
      this.#reopen ??= doors.clock.after('mcastfwd.reopen', REOPEN, () => {
        this.#reopen = null;
        this.sync(this.#wanted.segments, this.#wanted.groups);
      });
    }
  }
}

const keyOf = (group: Group, ifindex: number): string => `${ifindex} ${groupKey(group)}`;

const ownText = ({ prefixes }: Segment, { family }: Group): string =>
  prefixes.find((prefix) => prefix.family === family)?.address ?? '';
