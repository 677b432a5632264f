import {
  cidrContains,
  hostCidr,
  isLinkLocalIpv6,
  parseCidr,
  parseIpv4,
  parseIpv6,
  type Cidr,
} from '@pp/wire';
import type { Address, Link, Netns, Route, Rule } from '../desired';
import type { ObservedLink } from '../kernel';
import { addressText, attributesText, identityText, netnsText, routeText, ruleText } from '../text';
import { FakeRefusal, present, refuseIf } from './fake-refusal';

/** A link that is there without us. */
export interface ForeignLink {
  readonly ifname: string;
  /** With prefix lengths. */
  readonly addresses: readonly string[];
}

const DEFAULT_MTU = 1500;
const MAIN = 254;
const FIRST_IFINDEX = 100;

/** Links, addresses, routes and rules of the host, and the names under /run/netns. */
export class FakeNet {
  readonly #foreign: ReadonlyMap<string, ForeignLink>;
  readonly #netns = new Map<string, Netns>();
  readonly #links = new Map<string, { readonly link: Link; readonly ifindex: number }>();
  readonly #addresses = new Map<string, Address>();
  readonly #routes = new Map<string, Route>();
  readonly #rules = new Map<string, Rule>();
  #nextIfindex = FIRST_IFINDEX;

  constructor(foreign: readonly ForeignLink[]) {
    this.#foreign = new Map(foreign.map((link) => [link.ifname, link]));
  }

  hasLink = (ifname: string): boolean => this.#links.has(ifname) || this.#foreign.has(ifname);

  hasNetns = (name: string): boolean => this.#netns.has(name);

  addNetns(netns: Netns): void {
    refuseIf(this.#netns.has(netns.name), 'EEXIST', '');
    this.#netns.set(netns.name, netns);
  }

  /** A namespace of our own ends with its name, and every veth into it with the namespace. */
  delNetns({ name }: Netns): void {
    const { from } = present(this.#netns.get(name), 'ENOENT', '');
    this.#netns.delete(name);
    if (from !== null) return;
    for (const { link } of [...this.#links.values()]) {
      if (link.kind === 'veth' && link.peer.netns === name) this.delLink(link);
    }
  }

  addLink(link: Link): void {
    refuseIf(this.hasLink(link.ifname), 'EEXIST', '');
    this.#mustHaveMaster(link);
    if (link.kind === 'veth') this.#mustHaveRoomFor(link.peer);
    this.#links.set(link.ifname, { link, ifindex: this.#nextIfindex++ });
  }

  delLink({ ifname }: Pick<Link, 'ifname'>): void {
    present(this.#links.get(ifname), 'ENODEV', '');
    this.#links.delete(ifname);
    for (const [key, address] of this.#addresses) if (address.ifname === ifname) this.#addresses.delete(key);
    for (const [key, route] of this.#routes) if (route.dev === ifname) this.#routes.delete(key);
    for (const [name, { link, ifindex }] of this.#links) {
      if (link.master === ifname) this.#links.set(name, { link: { ...link, master: null }, ifindex });
    }
  }

  setLink(link: Link): void {
    const { link: now, ifindex } = present(this.#links.get(link.ifname), 'ENODEV', '');
    refuseIf(identityText(now) !== identityText(link), 'EOPNOTSUPP', 'only attributes can be set');
    this.#mustHaveMaster(link);
    const kept = { mac: link.mac ?? now.mac, mtu: link.mtu ?? now.mtu };
    this.#links.set(link.ifname, { link: { ...link, ...kept }, ifindex });
  }

  addAddress(address: Address): void {
    refuseIf(!this.#links.has(address.ifname), 'ENODEV', '');
    refuseIf(this.#addresses.has(addressText(address)), 'EEXIST', '');
    this.#addresses.set(addressText(address), address);
  }

  delAddress(address: Address): void {
    refuseIf(!this.hasLink(address.ifname), 'ENODEV', '');
    refuseIf(!this.#addresses.delete(addressText(address)), 'EADDRNOTAVAIL', '');
  }

  /** One route of a destination, metric and table; the next hop must be on the link. */
  addRoute(route: Route): void {
    refuseIf(route.dev !== null && !this.hasLink(route.dev), 'ENODEV', '');
    refuseIf(this.#routes.has(routeKey(route)), 'EEXIST', '');
    const isIpv6 = route.dst.includes(':');
    refuseIf(!this.#canReach(route), isIpv6 ? 'EHOSTUNREACH' : 'ENETUNREACH', '');
    this.#routes.set(routeKey(route), route);
  }

  delRoute(route: Route): void {
    refuseIf(route.dev !== null && !this.hasLink(route.dev), 'ENODEV', '');
    const there = this.#routes.get(routeKey(route));
    refuseIf(there === undefined || routeText(there) !== routeText(route), 'ESRCH', '');
    this.#routes.delete(routeKey(route));
  }

  addRule(rule: Rule): void {
    refuseIf(this.#rules.has(ruleText(rule)), 'EEXIST', '');
    this.#rules.set(ruleText(rule), rule);
  }

  delRule(rule: Rule): void {
    refuseIf(!this.#rules.delete(ruleText(rule)), 'ENOENT', '');
  }

  observe(): {
    readonly links: readonly ObservedLink[];
    readonly addresses: readonly Address[];
    readonly routes: readonly Route[];
    readonly rules: readonly Rule[];
  } {
    return {
      links: [...this.#links.values()].map(({ link, ifindex }) => observed(link, ifindex)),
      addresses: [...this.#addresses.values()],
      routes: [...this.#routes.values()],
      rules: [...this.#rules.values()],
    };
  }

  dump(): readonly string[] {
    return [
      ...[...this.#netns.values()].map((netns) => `netns ${netnsText(netns)}`),
      ...[...this.#links.values()].map(({ link }) => `link ${identityText(link)} ${attributesText(link)}`),
      ...[...this.#addresses.keys()].map((text) => `address ${text}`),
      ...[...this.#routes.values()].map((route) => `route ${routeText(route)}`),
      ...[...this.#rules.keys()].map((text) => `rule ${text}`),
    ].sort();
  }

  #mustHaveMaster({ master }: Link): void {
    refuseIf(master !== null && !this.hasLink(master), 'ENODEV', `master ${String(master)}`);
  }

  #mustHaveRoomFor(peer: { readonly netns: string; readonly ifname: string }): void {
    refuseIf(!this.#netns.has(peer.netns), 'ENOENT', `netns ${peer.netns}`);
    const isTaken = [...this.#links.values()].some(
      ({ link }) =>
        link.kind === 'veth' && link.peer.netns === peer.netns && link.peer.ifname === peer.ifname,
    );
    refuseIf(isTaken, 'EEXIST', `peer ${peer.ifname}`);
  }

  #canReach({ via, dev, onlink, table }: Route): boolean {
    if (via === null || dev === null || onlink) return true;
    const hop = hostCidr(parseIpv4(via) ?? parseIpv6(via) ?? unreadable(via));
    if (hop.family === 'ipv6' && isLinkLocalIpv6(hop.address)) return true;
    const linkRoutes = [...this.#routes.values()].filter(
      (route) => route.dev === dev && route.via === null && (route.table === table || route.table === MAIN),
    );
    const own = [...this.#addresses.values()].filter(({ ifname }) => ifname === dev).map(({ cidr }) => cidr);
    const onLink = [
      ...own,
      ...(this.#foreign.get(dev)?.addresses ?? []),
      ...linkRoutes.map(({ dst }) => dst),
    ];
    return onLink.some((text) => cidrContains(cidr(text), hop));
  }
}

const routeKey = ({ dst, table, metric }: Route): string => `${dst} table ${table} metric ${metric}`;

const cidr = (text: string): Cidr => parseCidr(text) ?? unreadable(text);

function unreadable(text: string): never {
  throw new FakeRefusal('EINVAL', text);
}

function observed(link: Link, ifindex: number): ObservedLink {
  const { ifname, kind, alias, multicast, master } = link;
  const mac = link.mac ?? `02:00:00:00:00:${(ifindex % 256).toString(16).padStart(2, '0')}`;
  return { ifname, ifindex, kind, alias, mac, mtu: link.mtu ?? DEFAULT_MTU, up: true, multicast, master };
}
