import { matchesIfname } from '@pp/ports';

/** One way of a relay: what it passes on between a LAN and a guest. The guest may be a pattern: "vmtap*". */
export interface Way {
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

/** Whether a packet may go both ways. */
export const waysMeet = (one: Way, other: Way): boolean =>
  one.what === other.what && one.lan === other.lan && patternsMeet(one.guest, other.guest);

const patternsMeet = (one: string, other: string): boolean =>
  matchesIfname(one, stem(other)) || matchesIfname(other, stem(one));

const stem = (pattern: string): string => pattern.replace(/\*$/, '');
