import { matchesIfname } from '@pp/ports';

/** One way of a relay: what it passes on between a LAN and a guest. The guest may be a pattern: "vmtap*". */
export interface Way {
  /** "mdns", a group, or a range: "ports 1024-65535". */
  readonly what: string;
  readonly lan: string;
  readonly guest: string;
}

/** An abstract name (unix(7)), which /proc/net/unix lists up to a blank: `what` has "+" for it. No interface has a "/" in its name. */
export const wayName = (app: string, { what, lan, guest }: Way): string =>
  `@patchpanel_${app}/${what.replaceAll(' ', '+')}/${lan}/${guest}`;

/** null: the name is none of these. */
export function wayNamed(app: string, name: string): Way | null {
  const [of, what, lan, guest, ...more] = name.split('/');
  if (of !== `@patchpanel_${app}` || guest === undefined || more.length > 0) return null;
  return { what: what?.replaceAll('+', ' ') ?? '', lan: lan ?? '', guest };
}

/** Whether a packet may go both ways: either end may be what one of them calls the LAN. */
export const waysMeet = (one: Way, other: Way): boolean =>
  whatsMeet(one.what, other.what) && (pairsMeet(one, other) || areSwapped(one, other));

function whatsMeet(one: string, other: string): boolean {
  const [a, b] = [portsIn(one), portsIn(other)];
  return one === other || (a !== null && b !== null && a.first <= b.last && b.first <= a.last);
}

/** Of "ports 1024-65535"; null: it is something else. */
function portsIn(what: string): { readonly first: number; readonly last: number } | null {
  const [, first, last] = /^ports (\d+)-(\d+)$/.exec(what) ?? [];
  return first === undefined ? null : { first: Number(first), last: Number(last) };
}

const pairsMeet = (one: Way, other: Way): boolean =>
  one.lan === other.lan && patternsMeet(one.guest, other.guest);

const areSwapped = (one: Way, other: Way): boolean =>
  matchesIfname(one.guest, other.lan) && matchesIfname(other.guest, one.lan);

const patternsMeet = (one: string, other: string): boolean =>
  matchesIfname(one, stem(other)) || matchesIfname(other, stem(one));

const stem = (pattern: string): string => pattern.replace(/\*$/, '');
