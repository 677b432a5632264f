import { millis, type Millis } from '@pp/base';
import type { InterfacesView } from '@pp/ports';
import { decode, encode, type Packet } from 'dns-packet';
import type { Action, Step } from '../action';
import type { Datagram } from '../datagram';
import { groupsOf, type Group } from '../group';
import { DEFAULT_POLICY, type Policy } from '../policy';
import { Relay } from '../relay';
import type { Link } from '../topology';

/** eth0 is the LAN, tap0 and tap1 are guests behind NAT. */
export const IFINDEX = { eth0: 1, tap0: 2, tap1: 3 } as const;
export type Ifname = keyof typeof IFINDEX;

/** A neighbour on each link. */
export const NEIGHBOR = { eth0: '192.168.77.20', tap0: '100.115.92.26', tap1: '100.115.92.30' } as const;
export const LAN_ADDRESS = '192.168.77.2';

const link = (ifname: Ifname) => ({
  ifname,
  ifindex: IFINDEX[ifname],
  type: 1,
  kind: 'veth',
  running: true,
  mtu: 1500,
  mac: '02:00:00:00:00:01',
});
const address = (ifname: Ifname, cidr: string) => ({ ifindex: IFINDEX[ifname], cidr, usable: true });

export const VIEW: InterfacesView = {
  links: [link('eth0'), link('tap0'), link('tap1')],
  addresses: [
    address('eth0', `${LAN_ADDRESS}/24`),
    address('eth0', '2001:db8:77::2/64'),
    address('eth0', 'fe80::1/64'),
    address('tap0', '100.115.92.25/30'),
    address('tap0', 'fe80::2/64'),
    address('tap1', '100.115.92.29/30'),
    address('tap1', 'fe80::3/64'),
  ],
};

export const LINKS: readonly Link[] = [{ lan: 'eth0', guests: ['tap*'] }];

const [MDNS4, MDNS6, SSDP4, SSDP6] = groupsOf(['mdns', 'ssdp']);
if (MDNS4 === undefined || MDNS6 === undefined || SSDP4 === undefined || SSDP6 === undefined)
  throw new Error('the groups are not what they were');
export const GROUP = { mdns4: MDNS4, mdns6: MDNS6, ssdp4: SSDP4, ssdp6: SSDP6 };

export const wire = (packet: Packet): Uint8Array => new Uint8Array(encode(packet));
export const unwire = (bytes: Uint8Array): Packet => decode(Buffer.from(bytes));

/** A relay with time that the test moves, and what it sent. */
export class Scene {
  readonly relay = new Relay();
  readonly actions: Action[] = [];
  now: Millis = millis(1_000_000);

  constructor(policy: Partial<Policy> = {}, view: InterfacesView = VIEW, links: readonly Link[] = LINKS) {
    this.set(policy, view, links);
  }

  set(policy: Partial<Policy>, view: InterfacesView = VIEW, links: readonly Link[] = LINKS): void {
    this.actions.push(...this.relay.update(links, view, { ...DEFAULT_POLICY, ...policy }));
  }

  /** From the neighbour on a link, to the group. */
  hear(ifname: Ifname, data: Uint8Array, more: Partial<Datagram> & { readonly group?: Group } = {}): Step {
    const { group = GROUP.mdns4, ...facts } = more;
    const datagram = {
      data,
      ifindex: IFINDEX[ifname],
      address: NEIGHBOR[ifname],
      port: group.port,
      ...facts,
    };
    return this.#kept(this.relay.receive(group, datagram, this.now));
  }

  /** A message that is to be taken, and what of it goes out: interface and message. */
  pass(ifname: Ifname, packet: Packet, more: Partial<Datagram> & { readonly group?: Group } = {}): Out {
    return outOf(this.hear(ifname, wire(packet), more));
  }

  answer(
    ifname: Ifname,
    session: number,
    data: Uint8Array,
    more: Partial<Datagram> & { readonly group?: Group } = {},
  ): Step {
    const { group = GROUP.mdns4, ...facts } = more;
    const datagram = {
      data,
      ifindex: IFINDEX[ifname],
      address: NEIGHBOR[ifname],
      port: group.port,
      ...facts,
    };
    return this.#kept(this.relay.reply(group, session, datagram, this.now));
  }

  wait(ms: number): readonly Action[] {
    this.now = millis(this.now + ms);
    const actions = this.relay.tick(this.now);
    this.actions.push(...actions);
    return actions;
  }

  #kept(step: Step): Step {
    this.actions.push(...step.actions);
    return step;
  }
}

export type Out = Readonly<Partial<Record<Ifname, Packet>>> & { readonly dropped?: string };

const nameOf = (ifindex: number): Ifname | '?' =>
  (Object.keys(IFINDEX) as Ifname[]).find((ifname) => IFINDEX[ifname] === ifindex) ?? '?';

export function outOf({ dropped, actions }: Pick<Step, 'dropped' | 'actions'>): Out {
  const sent = actions.flatMap((action) =>
    action.do === 'send' || action.do === 'search'
      ? action.ifindexes.map((ifindex) => [nameOf(ifindex), unwire(action.payload)] as const)
      : [],
  );
  return { ...Object.fromEntries(sent), ...(dropped === null ? {} : { dropped }) };
}

/** Interfaces that something went out by. */
export const exitsOf = (step: Pick<Step, 'actions'>): readonly string[] =>
  step.actions.flatMap((action) =>
    action.do === 'send' || action.do === 'search' ? action.ifindexes.map(nameOf) : [],
  );

/** What went out to the group by an interface, in order. */
export const sentBy = ({ actions }: Pick<Step, 'actions'>, ifname: Ifname): readonly Uint8Array[] =>
  actions.flatMap((action) =>
    action.do === 'send' && action.ifindexes.includes(IFINDEX[ifname]) ? [action.payload] : [],
  );

export const sessionOf = (step: Pick<Step, 'actions'>): number => {
  const search = step.actions.find((action) => action.do === 'search');
  if (search?.do !== 'search') throw new Error('no session was opened');
  return search.session.id;
};
