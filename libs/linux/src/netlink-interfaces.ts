import { millis, type Cancel, type Clock, type Logger } from '@pp/base';
import type { Native } from '@pp/native';
import {
  isRunning,
  isUp,
  Monitor,
  netlinkIn,
  routeSubject,
  type Address,
  type Link,
  type RouteEvent,
  type RouteSnapshot,
} from '@pp/netlink';
import type { InterfaceNews, InterfacesView } from '@pp/ports';

// linux/if_addr.h
const IFA_F_OPTIMISTIC = 0x04;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;

/** What belongs together comes within this time. */
const GATHERING = millis(5);

export interface NetlinkInterfacesOptions {
  readonly native: Pick<Native, 'openNetlink' | 'runInNetns'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** All interfaces of this namespace and their addresses, by rtnetlink. */
export class NetlinkInterfaces implements InterfaceNews {
  readonly #monitor: Monitor<RouteSnapshot, RouteEvent>;
  readonly #clock: Clock;
  readonly #links = new Map<number, Link>(); // BOUNDED: by the kernel's links
  readonly #addresses = new Map<string, Address>(); // BOUNDED: by the kernel's addresses
  #gathering: Cancel | null = null;
  #onView: (view: InterfacesView) => void = () => undefined;

  constructor({ native, clock, log }: NetlinkInterfacesOptions) {
    this.#clock = clock;
    this.#monitor = new Monitor({
      open: netlinkIn(native, 'route'),
      clock,
      subject: routeSubject(['link', 'address']),
      onSnapshot: (snapshot) => {
        this.#reset(snapshot);
        this.#tell();
      },
      onEvent: (event) => {
        this.#apply(event);
        this.#gather();
      },
      onFault: (fault) => {
        log.warn('interfaces.unread', { error: fault.message });
      },
    });
  }

  async start(onView: (view: InterfacesView) => void): Promise<void> {
    this.#onView = onView;
    await this.#monitor.start();
  }

  close(): void {
    this.#gathering?.();
    this.#monitor.close();
  }

  #reset({ links, addresses }: RouteSnapshot): void {
    this.#links.clear();
    this.#addresses.clear();
    for (const link of links) this.#links.set(link.ifindex, link);
    for (const address of addresses) this.#addresses.set(keyOf(address), address);
  }

  #apply(event: RouteEvent): void {
    if (event.on === 'link') {
      const { ifindex } = event.link;
      if (event.change === 'new') this.#links.set(ifindex, event.link);
      else this.#forget(ifindex);
    } else if (event.on === 'address') {
      if (event.change === 'new') this.#addresses.set(keyOf(event.address), event.address);
      else this.#addresses.delete(keyOf(event.address));
    }
  }

  /** The kernel tells of a link's addresses that go with it, but not always before the link. */
  #forget(ifindex: number): void {
    this.#links.delete(ifindex);
    for (const [key, address] of this.#addresses)
      if (address.ifindex === ifindex) this.#addresses.delete(key);
  }

  #gather(): void {
    this.#gathering ??= this.#clock.after('interfaces.gather', GATHERING, () => {
      this.#gathering = null;
      this.#tell();
    });
  }

  #tell(): void {
    this.#onView({
      links: [...this.#links.values()].map((link) => ({
        ifname: link.ifname,
        ifindex: link.ifindex,
        type: link.type,
        kind: link.kind,
        running: isUp(link) && isRunning(link),
        mtu: link.mtu,
        mac: link.mac,
        ...(link.master === null ? {} : { master: link.master }),
      })),
      addresses: [...this.#addresses.values()].map(({ ifindex, cidr, peer, broadcast, flags }) => ({
        ifindex,
        cidr,
        ...(peer === undefined ? {} : { peer }),
        ...(broadcast === undefined ? {} : { broadcast }),
        usable: isUsable(flags),
        ...((flags & IFA_F_DADFAILED) === 0 ? {} : { duplicate: true }),
      })),
    });
  }
}

const keyOf = ({ ifindex, cidr }: Address): string => `${ifindex}/${cidr}`;

/** RFC 4862 §5.4, RFC 4429: a tentative address may not be used, unless it is optimistic. */
export const isUsable = (flags: number): boolean =>
  (flags & IFA_F_DADFAILED) === 0 && ((flags & IFA_F_TENTATIVE) === 0 || (flags & IFA_F_OPTIMISTIC) !== 0);
