import type { Clock, Logger } from '@pp/base';
import { ROUTE_PROTOCOL } from '@pp/datapath';
import type { Native } from '@pp/native';
import {
  lossFilter,
  lossSubject,
  Monitor,
  netlinkIn,
  nftEventOf,
  NFNLGRP_NFTABLES,
  notByPort,
  type NftEvent,
  type RouteEvent,
} from '@pp/netlink';
import type { DatapathLoss, DatapathNews } from '@pp/ports';
import { isOurs } from './is-ours';
import { NftWriters } from './nft-writers';
import { OUR_TABLE } from './set-elements';

export interface NetlinkLossesOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Namespace to watch; default: the process's own. */
  readonly netnsFd?: number;
  /** By which ports we edit nftables ourselves; default: by none. */
  readonly writers?: NftWriters;
  /** What is ours; default: the manager's. */
  readonly protocol?: number;
  readonly table?: string;
}

type EditKind = Extract<NftEvent, { on: 'edit' }>['what'];
const GRAVITY: readonly EditKind[] = ['changed', 'added', 'gone'];

/** Anybody may name a process anything. */
const printable = (name: string): string => name.replace(/[^\x21-\x7e]/g, '?');

/** What of ours goes, by rtnetlink and by the group of nftables. */
export class NetlinkLosses implements DatapathNews {
  readonly #network: Monitor<null, RouteEvent>;
  readonly #tables: Monitor<null, NftEvent>;
  readonly #writers: NftWriters;
  /** What was done to our table by the transaction that is being told of; null: nothing so far. */
  #edit: EditKind | null = null;
  #onLoss: (loss: DatapathLoss) => void = () => undefined;

  constructor(options: NetlinkLossesOptions) {
    const { native, clock, log, netnsFd, writers = new NftWriters() } = options;
    const { protocol = ROUTE_PROTOCOL, table = OUR_TABLE.name } = options;
    this.#writers = writers;
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
      open: netlinkIn(native, 'route', netnsFd, lossFilter(protocol)),
      subject: lossSubject(),
      onEvent: (event) => {
        for (const loss of lossesIn(event, protocol)) this.#onLoss(loss);
      },
    });
    this.#tables = new Monitor({
      ...common,
      open: netlinkIn(native, 'netfilter', netnsFd, writers.socket === null ? [] : notByPort(writers.socket)),
      subject: {
        groups: [NFNLGRP_NFTABLES],
        decode: nftEventOf({ ...OUR_TABLE, name: table }),
        snapshot: () => Promise.resolve(null),
      },
      onSnapshot: () => {
        this.#edit = null;
        writers.listening();
        common.onSnapshot();
      },
      onEvent: (event) => {
        this.#edited(event);
      },
    });
  }

  async start(onLoss: (loss: DatapathLoss) => void): Promise<void> {
    await Promise.all([this.#network.start(), this.#tables.start()]);
    this.#onLoss = onLoss;
  }

  /** The parts of one transaction come together, and its commit last: transactions are done one after the other. */
  #edited(event: NftEvent): void {
    if (event.on === 'edit') {
      this.#edit = graver(this.#edit, event.what);
      return;
    }
    const edit = this.#edit;
    this.#edit = null;
    if (this.#writers.committed(event.portId) || edit === null) return;
    const by = `${printable(event.process)} (pid ${event.pid})`;
    this.#onLoss(edit === 'gone' ? { on: 'table', by } : { on: 'edit', by, adds: edit === 'added' });
  }

  close(): void {
    this.#onLoss = () => undefined;
    this.#network.close();
    this.#tables.close();
  }
}

const graver = (a: EditKind | null, b: EditKind): EditKind =>
  a === null || GRAVITY.indexOf(b) > GRAVITY.indexOf(a) ? b : a;

function lossesIn(event: RouteEvent, protocol: number): readonly DatapathLoss[] {
  switch (event.on) {
    case 'link':
      return [isOurs(event.link) ? { on: 'link', ifname: event.link.ifname } : { on: 'uplink' }];
    case 'address':
      return [{ on: 'address', cidr: event.address.cidr }];
    case 'route':
      return event.route.protocol === protocol
        ? [{ on: 'route', dst: event.route.dst, table: event.route.table }]
        : [];
    case 'rule':
      return event.rule.protocol === protocol
        ? [{ on: 'rule', family: event.rule.family, priority: event.rule.priority }]
        : [];
    case 'nexthop':
    case 'neighbor':
      return [];
  }
}
