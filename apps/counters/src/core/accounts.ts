import type { CountedElement } from '@pp/ports';
import type { Account, CountedUplink } from './record';
import { ALL, VPN_DEVICE } from './traffic-table';

/** A guest's link. */
export interface CountedLink {
  readonly ifname: string;
  readonly guest: string;
}

/** Whose traffic is counted. */
export interface Counted {
  readonly uplinks: readonly CountedUplink[];
  /** null: nobody has told yet. */
  readonly links: readonly CountedLink[] | null;
}

/** By interface, whom its traffic is put down to. What nobody has told of goes by the interface's own name. */
export class Accounts {
  /** BOUNDED: by what the manager tells. */
  readonly #devices: ReadonlyMap<string, string>;
  readonly #guests: ReadonlyMap<string, string>;
  readonly #knowsGuests: boolean;

  constructor({ uplinks, links }: Counted) {
    this.#devices = new Map(uplinks.map(({ ifname, vpn }) => [ifname, vpn ? VPN_DEVICE : ifname]));
    this.#guests = new Map((links ?? []).map(({ ifname, guest }) => [ifname, guest]));
    this.#knowsGuests = links !== null;
  }

  /** Each once. */
  get ifnames(): readonly string[] {
    return [...this.#devices.keys()];
  }

  of({ set, ifname, uplink }: CountedElement): Account {
    const device = this.#devices.get(uplink) ?? uplink;
    return { guest: isGuests({ set }) ? (this.#guests.get(ifname) ?? ifname) : ALL, device };
  }

  /** Somebody has told whose it is. */
  knows(element: CountedElement): boolean {
    return !isGuests(element) || this.#guests.has(element.ifname);
  }

  /** The element is of a guest's link that is known to be no more. */
  isOfGone(element: CountedElement): boolean {
    return this.#knowsGuests && isGuests(element) && !this.#guests.has(element.ifname);
  }
}

export const isGuests = ({ set }: Pick<CountedElement, 'set'>): boolean =>
  set === 'guest_rx' || set === 'guest_tx';
