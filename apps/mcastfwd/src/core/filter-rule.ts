import { accept, refuse, type Checked } from '@pp/base';
import { isIfnamePattern } from '@pp/datapath';
import { matchesIfname } from '@pp/ports';
import { labelsOf, nameFromLabels, nameKey, type NameKey, type WireName } from '@pp/wire';
import type { Exit } from './topology';

/** `in`: guests' services as the LAN sees them; `out`: the LAN's as guests see them; `between`: those of guests among themselves. */
export const FILTER_SIDES = ['in', 'out', 'between'] as const;
export type FilterSide = (typeof FILTER_SIDES)[number];

/** A service type, a service or a host, let through or held back. */
export interface FilterRule {
  readonly action: 'allow' | 'deny';
  /** undefined: all. */
  readonly side: FilterSide | undefined;
  /** Name or pattern of a guest's interface; undefined: all. */
  readonly guest: string | undefined;
  /** The ending of names that it is about, as a key; without "local". */
  readonly ending: NameKey;
  readonly text: string;
}

const WANTED =
  'write [in:|out:|between:]NAME[@GUEST], for example _ipp._tcp, out:_googlecast._tcp@vmtap0 or "Printer._ipp._tcp"';

/** "out:_googlecast._tcp@vmtap0". A service's own name may have dots: what stands before "._TYPE._tcp" is one label. */
export function checkedFilterRule(action: FilterRule['action'], text: string): Checked<FilterRule> {
  const [about, guest] = withoutGuest(text);
  const match = /^(?:(in|out|between):)?(?!(?:in|out|between):)([^@].*)$/.exec(about);
  const labels = labelsOfText(match?.[2] ?? '');
  const name = labels === null ? null : nameFromLabels(labels);
  if (match === null || name === null)
    return refuse('InvalidArgument', `filter '${text}' is not understood; ${WANTED}`);
  if (guest !== undefined && !isGuestPattern(guest))
    return refuse(
      'InvalidArgument',
      `filter '${text}' has '${guest}' after the @, which cannot be an interface; write '${about}@GUEST' with a name as "ip link" shows it, or '${about}' for all`,
    );
  const side = FILTER_SIDES.find((each) => each === match[1]);
  return accept({ action, side, guest, ending: nameKey(name), text });
}

/** "*" is every guest. */
export const isGuestPattern = (text: string): boolean => text === '*' || isIfnamePattern(text);

/** What stands before the last "@", and after it; the one of "me@host._ssh._tcp" is of the service's own name. */
function withoutGuest(text: string): readonly [about: string, guest: string | undefined] {
  const at = text.lastIndexOf('@');
  const isOfName = at < 0 || /\._[^.]+\._(?:tcp|udp)(?:\.local)?\.?$/i.test(text.slice(at));
  return isOfName ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** null: nothing that could be a name. "local" at the end goes. */
function labelsOfText(text: string): readonly string[] | null {
  const bare = text.replace(/\.?$/, '').replace(/(^|\.)local$/i, '');
  if (bare === '') return null;
  const service = /^(?:(.+)\.)?(_[^.]+\._(?:tcp|udp))$/i.exec(bare);
  if (service === null) return bare.split('.');
  const [, instance, type = ''] = service;
  const before =
    instance === undefined ? [] : /(^|\.)_sub$/i.test(instance) ? instance.split('.') : [instance];
  return [...before, ...type.split('.')];
}

const LOCAL = keyOfLabels(['local']);
const ENUMERATION = keyOfLabels(['_services', '_dns-sd', '_udp']);

function keyOfLabels(labels: readonly string[]): NameKey {
  const name = nameFromLabels(labels);
  return name === null ? ('' as NameKey) : nameKey(name);
}

export const ruleApplies = ({ side, guest }: FilterRule, exit: Exit, of: FilterSide): boolean =>
  (side === undefined || side === of) && (guest === undefined || matchesIfname(guest, exit.guest.ifname));

/**
 * Whether rules let a name through. What is denied is not; where there are allowing rules, services pass only by one of them. Names of
 * hosts are not held back for want of a rule: a service needs them. RFC 6763 §9: the list of all services may be asked for always.
 */
export function letsThrough(rules: readonly FilterRule[], name: WireName): boolean {
  const key = withoutLocal(nameKey(name));
  if (key === ENUMERATION) return true;
  const about = rules.filter(({ ending }) => endsWith(key, ending));
  if (about.some(({ action }) => action === 'deny')) return false;
  if (about.length > 0 || !isService(name)) return true;
  return !rules.some(({ action }) => action === 'allow');
}

export const isEnumeration = (name: WireName): boolean => withoutLocal(nameKey(name)) === ENUMERATION;

/** The names end with a zero byte, as keys do. */
const withoutLocal = (key: NameKey): NameKey =>
  key.endsWith(LOCAL) ? (`${key.slice(0, -LOCAL.length)}\0` as NameKey) : key;

/** At a boundary of labels: what stands before the ending is whole labels. */
function endsWith(key: NameKey, ending: NameKey): boolean {
  const head = key.length - ending.length;
  if (head < 0 || !key.endsWith(ending)) return false;
  let at = 0;
  while (at < head) at += key.charCodeAt(at) + 1;
  return at === head;
}

const isService = (name: WireName): boolean =>
  labelsOf(name).some((label) => {
    const text = String.fromCharCode(...label).toLowerCase();
    return text === '_tcp' || text === '_udp';
  });
