import { KernelError } from '@pp/base';
import type { GroupDatagram, SearchPort } from '@pp/ports';
import type { Session } from './core/sessions';
import type { Doors } from './doors';

/** The port of each session. */
export class SearchPortTable {
  readonly #open = new Map<number, SearchPort>(); // BOUNDED: by the sessions
  /** Sessions for which no port was left. */
  refused = 0;

  constructor(
    private readonly doors: Pick<Doors, 'ports' | 'log'>,
    private readonly onAnswers: (session: Session, batch: readonly GroupDatagram[]) => void,
  ) {}

  /** null: none is left. */
  of(session: Session): SearchPort | null {
    const known = this.#open.get(session.id);
    if (known !== undefined) return known;
    const { family, hopLimit, name: group } = session.group;
    try {
      const port = this.doors.ports.openSearch({
        family,
        hopLimit,
        onDatagrams: (batch) => {
          this.onAnswers(session, batch);
        },
        onFault: ({ message: error }) => {
          this.doors.log.debug('search.fault', { group, error });
        },
      });
      this.#open.set(session.id, port);
      return port;
    } catch (fault) {
      if (!(fault instanceof KernelError)) throw fault;
      this.refused++;
      this.doors.log.debug('search.refused', { group, error: fault.message });
      return null;
    }
  }

  end({ id }: Session): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  close(): void {
    for (const port of this.#open.values()) port.close();
    this.#open.clear();
  }
}
