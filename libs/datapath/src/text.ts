import { assertNever } from '@pp/base';
import type { Address, Element, Link, Netns, Route, Rule, Sysctl } from './desired';
import { formatMark } from './marks';

/**
 * Values as an operator writes them, in the style of ip(8). Each text holds every field, so that two values are equal exactly when
 * their texts are; of a link, identity and attributes together.
 */

export const netnsText = ({ name, from }: Netns): string =>
  from === null ? name : `${name} pid ${from.pid} inode ${from.inode}`;

export const sysctlText = ({ key, value }: Sysctl): string => `${key} = ${value}`;

/** Without verdict and value: a set holds one element of a key. */
export const elementKey = ({ set, key }: Element): string => `${set} ${key.join(' . ')}`;

/** The right-hand side of a map's element as nft writes it; empty in sets. */
export const elementValue = ({ jump, data = [] }: Element): string =>
  jump === undefined ? data.join(' . ') : `jump ${jump}`;

export const addressText = ({ ifname, cidr }: Address): string => `${cidr} dev ${ifname}`;

export function routeText({ kind, dst, via, dev, src, table, metric, onlink }: Route): string {
  return words(
    kind !== 'unicast' && kind,
    dst,
    via !== null && `via ${via}`,
    dev !== null && `dev ${dev}`,
    src !== null && `src ${src}`,
    `table ${table}`,
    `metric ${metric}`,
    onlink && 'onlink',
  );
}

export function ruleText(rule: Rule): string {
  const { family, priority, fwmark, iif, oif, from, to, table, suppressPrefixLength } = rule;
  return words(
    family,
    `${priority}:`,
    `from ${from ?? 'all'}`,
    to !== null && `to ${to}`,
    fwmark !== null && `fwmark ${formatMark(fwmark.value)}/${formatMark(fwmark.mask)}`,
    iif !== null && `iif ${iif}`,
    oif !== null && `oif ${oif}`,
    `lookup ${table}`,
    suppressPrefixLength !== null && `suppress_prefixlength ${suppressPrefixLength}`,
  );
}

/** What of a link can be changed while it lives. */
export function attributesText({ mac, mtu, multicast, master }: Link): string {
  return words(
    mac !== null && `address ${mac}`,
    mtu !== null && `mtu ${mtu}`,
    `multicast ${multicast ? 'on' : 'off'}`,
    master !== null && `master ${master}`,
  );
}

/** What of a link is so from its creation to its end. */
export function identityText(link: Link): string {
  switch (link.kind) {
    case 'veth': {
      const { netns, ifname, mac, address, gateway, multicast } = link.peer;
      const peer = words(
        `peer ${ifname}`,
        `netns ${netns}`,
        `address ${mac}`,
        address,
        gateway !== null && `via ${gateway}`,
      );
      return words(link.ifname, 'veth', `alias ${link.alias}`, peer, `multicast ${multicast ? 'on' : 'off'}`);
    }
    case 'bridge':
      return words(link.ifname, 'bridge', `alias ${link.alias}`);
    case 'tap':
      return words(link.ifname, 'tap', `alias ${link.alias}`, `owner ${link.owner}`);
    default:
      return assertNever(link);
  }
}

const words = (...parts: readonly (string | false)[]): string =>
  parts.filter((part) => part !== false).join(' ');
