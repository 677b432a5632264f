/** Bytes of a name without its end mark: IFNAMSIZ - 1, linux/if.h. */
export const IFNAME_MAX = 15;

/**
 * A name that the kernel takes (dev_valid_name, net/core/dev.c: no blank, `/` or `:`; `%` would be a template) and that can be said
 * in nft text (no quote, backslash or `*`) and in a log line (no control characters). Classes of Unicode (\p{Cc}) would load ICU, 2 MB.
 */
export const isIfname = (text: string): boolean =>
  text !== '' &&
  text !== '.' &&
  text !== '..' &&
  utf8Length(text) <= IFNAME_MAX &&
  !/[\s/:%"\\*]|[^ -~\u00a0-\ud7ff\ue000-\u{10ffff}]/u.test(text);

/** A name, or the beginning of names with an asterisk behind it: "vmtap*". One alone is none: it would be every interface. */
export const isIfnamePattern = (text: string): boolean =>
  isIfname(text.endsWith('*') ? text.slice(0, -1) : text);

/**
 * `prefix` + `name` where it fits, else cut to IFNAME_MAX with the last character of `name` in the last place, so that
 * "wlan_verylong0" and "wlan_verylong1" stay two names.
 */
export function prefixedIfname(prefix: string, name: string): string {
  const whole = prefix + name;
  if (utf8Length(whole) <= IFNAME_MAX) return whole;
  const last = Array.from(name).at(-1) ?? '';
  let head = '';
  for (const character of whole) {
    if (utf8Length(head + character + last) > IFNAME_MAX) break;
    head += character;
  }
  return head + last;
}

export const ARC_BRIDGE = 'arcbr0';
export const ARC_MANAGEMENT = 'arc0';
export const ARC_NETNS = 'arc_netns';

/** The host's bridge of an uplink's ARC device. */
export const arcBridgeName = (uplink: string): string => prefixedIfname('arc_', uplink);

/** The host's end of a link into the ARC container: of an uplink's device, or of ARC_MANAGEMENT. */
export const arcVethName = (device: string): string => prefixedIfname('veth', device);

export interface NamespaceNames {
  /** Under /run/netns. */
  readonly netns: string;
  /** Link on the host. */
  readonly host: string;
  /** Its other end, inside. */
  readonly peer: string;
}

/** Names of connected namespace `number`, counted from 0. */
export const namespaceNames = (number: number): NamespaceNames => ({
  netns: `connected_netns_${number}`,
  host: `arc_ns${number}`,
  peer: `veth${number}`,
});

/** UTF-8 bytes of `text`; TextEncoder is no part of the language. */
function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}
