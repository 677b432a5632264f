import { millis, type Clock, type Logger } from '@pp/base';
import type { DatapathNews } from '@pp/ports';
import { areaOf, type Area } from './domain/losses';
import { Mender, type MenderParts } from './mender';

export interface SurvivalParts extends Pick<MenderParts, 'mend'> {
  readonly news: DatapathNews;
  /** Where guests' IPv4 addresses are now. */
  readonly guestPrefixes: () => readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Most of what the network loses comes with a change of uplinks, which is followed first; looking for the rest takes a while. */
const UPLINKS_FIRST = millis(250);

/**
 * Keeps what we made, whoever takes it away: others flush rulesets, edit our table, delete routes and rules. An absent table lets everything pass, so
 * nothing is awaited before it is loaded again; of the network, first what is lost together is gathered. Each area waits by itself, so that a guest
 * who fights for its link holds nobody else up.
 */
export class Survival {
  readonly #news: DatapathNews;
  readonly #guestPrefixes: () => readonly string[];
  readonly #menders: Readonly<Record<Area, Mender>>;

  constructor({ news, guestPrefixes, ...parts }: SurvivalParts) {
    this.#news = news;
    this.#guestPrefixes = guestPrefixes;
    const ofNetwork = { ...parts, gathering: UPLINKS_FIRST, insists: false };
    this.#menders = {
      table: new Mender({ ...parts, gathering: millis(0), insists: true }),
      guests: new Mender(ofNetwork),
      host: new Mender(ofNetwork),
    };
  }

  /** Sentences for the operator; none while nobody fights us. */
  get warnings(): readonly string[] {
    const { table, guests, host } = this.#menders;
    return [
      ...refused(this.#menders),
      ...warning('removed or changed our nftables table', 'nft', table.fights),
      ...warning(
        "removed guests' links, addresses or routes",
        'ip link del, also inside a guest',
        guests.fights,
      ),
      ...warning('removed our routes, rules or addresses', 'ip route flush, ip rule flush', host.fights),
    ];
  }

  /** When the kernel has been brought to what is wanted: what went since it was looked at is looked for once more. */
  async start(): Promise<void> {
    await this.#news.start((loss) => {
      this.#menders[areaOf(loss, this.#guestPrefixes())].lose(loss);
    });
    this.#menders.host.lose({ on: 'uplink' });
  }

  /** The kernel refused what nobody tries again: it may lack something, or have something too much. */
  lookAgain(): void {
    this.#menders.host.lose({ on: 'unknown' });
  }

  close(): void {
    this.#news.close();
    for (const mender of Object.values(this.#menders)) mender.close();
  }
}

const refused = (menders: Readonly<Record<Area, Mender>>): readonly string[] =>
  Object.values(menders).flatMap(({ refusal }) =>
    refusal === null ? [] : [`what is missing in the kernel cannot be put back yet: ${refusal}`],
  );

const warning = (what: string, how: string, times: number): readonly string[] =>
  times === 0
    ? []
    : [`somebody ${what} ${times} times in a row, and we put it back ever later: look for what runs ${how}`];
