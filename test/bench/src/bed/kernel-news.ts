import { systemClock } from '@pp/daemon';
import { TABLE } from '@pp/datapath';
import { loadNative } from '@pp/native';
import {
  Monitor,
  netlinkIn,
  NFNLGRP_NFTABLES,
  nftEventOf,
  routeSubject,
  type NftEvent,
  type RouteEvent,
  type Subject,
} from '@pp/netlink';
import type { Machine } from './bed';

/** What the kernel of a machine tells, with the time at which it was heard. */
export class KernelNews<Event> {
  readonly #waiting: { readonly wanted: (event: Event) => boolean; readonly heard: (at: number) => void }[] =
    []; // BOUNDED: by who waits
  readonly #monitor: Monitor<null, Event>;

  private constructor({ host }: Machine, family: 'route' | 'netfilter', subject: Subject<unknown, Event>) {
    const native = loadNative();
    const netns = native.openNetns({ pid: host.pid });
    this.#monitor = new Monitor({
      open: netlinkIn(native, family, netns),
      clock: systemClock,
      subject: { ...subject, snapshot: () => Promise.resolve(null) },
      onSnapshot: () => undefined,
      onEvent: (event) => {
        this.#hear(event);
      },
      onFault: () => undefined,
    });
    native.closeFd(netns);
  }

  static async ofNetwork(machine: Machine): Promise<KernelNews<RouteEvent>> {
    const news = new KernelNews<RouteEvent>(machine, 'route', routeSubject(['link', 'route', 'rule']));
    await news.#monitor.start();
    return news;
  }

  /** Of the manager's table. */
  static async ofTable(machine: Machine): Promise<KernelNews<NftEvent>> {
    const news = new KernelNews<NftEvent>(machine, 'netfilter', {
      groups: [NFNLGRP_NFTABLES],
      decode: nftEventOf({ family: 'inet', name: TABLE }),
      snapshot: () => Promise.resolve(null),
    });
    await news.#monitor.start();
    return news;
  }

  /** performance.now() when the first such event was heard. */
  next(wanted: (event: Event) => boolean): Promise<number> {
    return new Promise((heard) => this.#waiting.push({ wanted, heard }));
  }

  close(): void {
    this.#monitor.close();
  }

  #hear(event: Event): void {
    const at = performance.now();
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.wanted(event)) waiting.heard(at);
      else this.#waiting.push(waiting);
    }
  }
}
