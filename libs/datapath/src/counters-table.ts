/**
 * Theory of operation of `table inet patchpanel_counters`. A packet of an interface in @counted updates one element of a dynamic set, which
 * the kernel makes at the first packet: no rule, and no element made beforehand, belongs to a device, so a packet costs the same with any
 * number of them. Sets that count uplinks have keys (interface, source, family); those of guests (guest's link, uplink, source, family).
 * The key's mark is cut to the source bits, else every routing tag would make an element of its own. Where a set is full the update does not
 * hold, and the rule after it counts what was missed. Names of the dynamic sets end in the run of the table: counters of another
 * run start from zero, so a reader can never take them for a continuation.
 *
 *   rx      prerouting   mangle + 10    what came in by an uplink; the mark has the source (classify, at mangle)
 *   guests  forward      filter + 100   what passed between a guest and an uplink; both interfaces are known here on every kernel
 *   tx      postrouting  srcnat + 20    what leaves by an uplink, after everything that may drop it
 */
import { DOOMED_GROUP, LINK_GROUP } from './tags';
import { formatMark, SOURCE_MASK } from './marks';

export const COUNTERS_TABLE = 'patchpanel_counters';
/** Names of the interfaces that are counted. */
export const COUNTED_SET = 'counted';
export const COUNTING_SETS = ['uplink_rx', 'uplink_tx', 'guest_rx', 'guest_tx'] as const;
export type CountingSet = (typeof COUNTING_SETS)[number];
/** Packets and bytes that found a set full. */
export const MISSED_COUNTERS = ['missed_uplink', 'missed_guest'] as const;
export type MissedCounter = (typeof MISSED_COUNTERS)[number];

export interface CountersTable {
  /** [a-z0-9_]; of all tables that ever were, only one has it. */
  readonly run: string;
  /** Most elements of each counting set. */
  readonly size: number;
  /** Interfaces in @counted. */
  readonly counted: readonly string[];
}

export const countingSetName = (set: CountingSet, run: string): string => `${set}_${run}`;

/** Fields of the keys of a counting set, by nft's names of their types. */
export const COUNTING_KEYS: Readonly<Record<CountingSet, readonly ('ifname' | 'mark' | 'nf_proto')[]>> = {
  uplink_rx: ['ifname', 'mark', 'nf_proto'],
  uplink_tx: ['ifname', 'mark', 'nf_proto'],
  guest_rx: ['ifname', 'ifname', 'mark', 'nf_proto'],
  guest_tx: ['ifname', 'ifname', 'mark', 'nf_proto'],
};

const HERE = `inet ${COUNTERS_TABLE}`;
const AND_WHAT = `meta mark & ${formatMark(SOURCE_MASK)} . meta nfproto`;
const OUR_LINKS = `${LINK_GROUP}-${DOOMED_GROUP}`;

const CHAINS = [
  { name: 'rx', hook: 'prerouting priority mangle + 10' },
  { name: 'guests', hook: 'forward priority filter + 100' },
  { name: 'tx', hook: 'postrouting priority srcnat + 20' },
] as const;

const rulesOf = (run: string): readonly (readonly [chain: string, rule: string])[] => {
  const update = (set: CountingSet, key: string): string => `update @${countingSetName(set, run)} { ${key} }`;
  const missed = (counter: MissedCounter): string => `counter name "${counter}"`;
  const [toUplink, fromUplink] = [
    `meta iifgroup ${OUR_LINKS} oifname @${COUNTED_SET}`,
    `meta oifgroup ${OUR_LINKS} iifname @${COUNTED_SET}`,
  ];
  return [
    ['rx', `iifname @${COUNTED_SET} ${update('uplink_rx', `iifname . ${AND_WHAT}`)} accept`],
    ['rx', `iifname @${COUNTED_SET} ${missed('missed_uplink')}`],
    ['guests', `${toUplink} ${update('guest_tx', `iifname . oifname . ${AND_WHAT}`)} accept`],
    ['guests', `${fromUplink} ${update('guest_rx', `oifname . iifname . ${AND_WHAT}`)} accept`],
    ['guests', `${toUplink} ${missed('missed_guest')}`],
    ['guests', `${fromUplink} ${missed('missed_guest')}`],
    ['tx', `oifname @${COUNTED_SET} ${update('uplink_tx', `oifname . ${AND_WHAT}`)} accept`],
    ['tx', `oifname @${COUNTED_SET} ${missed('missed_uplink')}`],
  ];
};

/** How many rules the whole table has. */
export const COUNTERS_RULES = rulesOf('').length;

/**
 * The table as one `nft -f` transaction that may be loaded over any former state of it: counting sets of this run keep their elements.
 * `stale` names sets of former runs that must go.
 */
export function countersTableText({ run, size, counted }: CountersTable, stale: readonly string[]): string {
  const lines = [
    `add table ${HERE}`,
    ...MISSED_COUNTERS.map((name) => `add counter ${HERE} ${name}`),
    `add set ${HERE} ${COUNTED_SET} { type ifname; }`,
    ...COUNTING_SETS.map((set) => declareCounting(set, run, size)),
    ...CHAINS.map(
      ({ name, hook }) => `add chain ${HERE} ${name} { type filter hook ${hook}; policy accept; }`,
    ),
    ...CHAINS.map(({ name }) => `flush chain ${HERE} ${name}`),
    ...stale.map((name) => `delete set ${HERE} ${name}`),
    ...(stale.length > 0 ? MISSED_COUNTERS.flatMap(fromZero) : []),
    ...rulesOf(run).map(([chain, rule]) => `add rule ${HERE} ${chain} ${rule}`),
    `flush set ${HERE} ${COUNTED_SET}`,
    ...(counted.length === 0
      ? []
      : [`add element ${HERE} ${COUNTED_SET} { ${counted.map(quoted).join(', ')} }`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What other sets missed is no fault of these. */
const fromZero = (name: MissedCounter): readonly string[] => [
  `delete counter ${HERE} ${name}`,
  `add counter ${HERE} ${name}`,
];

const declareCounting = (set: CountingSet, run: string, size: number): string =>
  `add set ${HERE} ${countingSetName(set, run)} { type ${COUNTING_KEYS[set].join(' . ')}; size ${size}; flags dynamic; counter; }`;

const quoted = (ifname: string): string => `"${ifname}"`;
