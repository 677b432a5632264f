import { millis, type Clock, type Logger } from '@pp/base';
import type { DatapathNews } from '@pp/ports';
import { Mender, type MenderParts } from './mender';

export interface SurvivalParts extends Pick<MenderParts, 'mend'> {
  readonly news: DatapathNews;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Most of what the network loses comes with a change of uplinks, which is followed first; looking for the rest takes a while. */
const UPLINKS_FIRST = millis(250);

/**
 * Keeps what we made, whoever takes it away: others flush rulesets, edit our table, delete routes and rules. An absent table lets everything pass, so
 * nothing is awaited before it is loaded again; of the network, first what is lost together is gathered.
 */
export class Survival {
  readonly #news: DatapathNews;
  readonly #table: Mender;
  readonly #network: Mender;

  constructor({ news, ...parts }: SurvivalParts) {
    this.#news = news;
    this.#table = new Mender({ ...parts, gathering: millis(0), insists: true });
    this.#network = new Mender({ ...parts, gathering: UPLINKS_FIRST, insists: false });
  }

  /** Sentences for the operator; none while nobody fights us. */
  get warnings(): readonly string[] {
    return [
      ...warning('removed or changed our nftables table', 'nft', this.#table.fights),
      ...warning(
        'removed our routes, rules or addresses',
        'ip route flush, ip rule flush',
        this.#network.fights,
      ),
    ];
  }

  /** `isWhole`: nothing of the network is missing that we know of. */
  async start(isWhole: boolean): Promise<void> {
    await this.#news.start((loss) => {
      (loss.on === 'table' || loss.on === 'edit' ? this.#table : this.#network).lose(loss);
    });
    if (!isWhole) this.#network.lose({ on: 'uplink' });
  }

  close(): void {
    this.#news.close();
    this.#table.close();
    this.#network.close();
  }
}

const warning = (what: string, how: string, times: number): readonly string[] =>
  times === 0
    ? []
    : [`somebody ${what} ${times} times in a row, and we put it back ever later: look for what runs ${how}`];
