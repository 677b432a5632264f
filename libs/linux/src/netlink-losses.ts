import type { Clock, Logger } from '@pp/base';
import { ROUTE_PROTOCOL } from '@pp/datapath';
import type { Native } from '@pp/native';
import {
  decodeTableEvent,
  lossFilter,
  lossSubject,
  Monitor,
  netlinkIn,
  NFNLGRP_NFTABLES,
  sameTable,
  type RouteEvent,
  type TableEvent,
} from '@pp/netlink';
import type { DatapathLoss, DatapathNews } from '@pp/ports';
import { isOurs } from './is-ours';
import { OUR_TABLE } from './set-elements';

export interface NetlinkLossesOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace to watch; default: the process's own. */
  readonly netnsFd?: number;
}

/** What of ours goes, by rtnetlink and by the group of nftables. */
export class NetlinkLosses implements DatapathNews {
  readonly #network: Monitor<null, RouteEvent>;
  readonly #tables: Monitor<null, TableEvent>;
  #onLoss: (loss: DatapathLoss) => void = () => undefined;

  constructor({ native, clock, log, netnsFd }: NetlinkLossesOptions) {
    const common = {
      clock,
      onSnapshot: () => {
        this.#onLoss({ on: 'unknown' });
      },
      onFault: (fault: Error) => {
        log.warn('losses.unread', { error: fault.message });
      },
    };
    this.#network = new Monitor({
      ...common,
      open: netlinkIn(native, 'route', netnsFd, lossFilter(ROUTE_PROTOCOL)),
      subject: lossSubject(),
      onEvent: (event) => {
        for (const loss of lossesIn(event)) this.#onLoss(loss);
      },
    });
    this.#tables = new Monitor({
      ...common,
      open: netlinkIn(native, 'netfilter', netnsFd),
      subject: {
        groups: [NFNLGRP_NFTABLES],
        decode: decodeTableEvent,
        snapshot: () => Promise.resolve(null),
      },
      onEvent: ({ change, table }) => {
        if (change === 'del' && sameTable(table, OUR_TABLE)) this.#onLoss({ on: 'table' });
      },
    });
  }

  async start(onLoss: (loss: DatapathLoss) => void): Promise<void> {
    await Promise.all([this.#network.start(), this.#tables.start()]);
    this.#onLoss = onLoss;
  }

  close(): void {
    this.#onLoss = () => undefined;
    this.#network.close();
    this.#tables.close();
  }
}

function lossesIn(event: RouteEvent): readonly DatapathLoss[] {
  switch (event.on) {
    case 'link':
      return [isOurs(event.link) ? { on: 'link', ifname: event.link.ifname } : { on: 'uplink' }];
    case 'address':
      return [{ on: 'address', cidr: event.address.cidr }];
    case 'route':
      return event.route.protocol === ROUTE_PROTOCOL
        ? [{ on: 'route', dst: event.route.dst, table: event.route.table }]
        : [];
    case 'rule':
      return event.rule.protocol === ROUTE_PROTOCOL
        ? [{ on: 'rule', family: event.rule.family, priority: event.rule.priority }]
        : [];
    case 'neighbor':
      return [];
  }
}
