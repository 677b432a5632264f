import { KernelError } from '@pp/base';
import type { Kernel, Observed, Op, Outcome, Route } from '@pp/datapath';
import { BRIDGE, NETNS, TAP, VETH } from './ops';

/** What every kernel door does. */
export interface KernelRow {
  readonly name: string;
  /** Steps that are done before. */
  readonly given?: readonly Op[];
  readonly ops: readonly Op[];
  /** "done" or an errno, step by step, up to the first refusal; what comes after that is free. */
  readonly want: readonly string[];
  /** What is there in the end. */
  readonly seen?: readonly string[];
  /** Needs /dev/net/tun. */
  readonly tap?: true;
}

/** The host that the rows need: one link that is not ours, and these sysctls. */
export const CONTRACT_HOST = {
  links: [{ ifname: 'eth0', addresses: ['192.0.2.10/24'] }],
  sysctls: new Map([
    ['net.ipv4.ip_forward', '0'],
    ['net.ipv4.ip_local_port_range', '32768\t60999'],
  ]),
};

export const CONTRACT_ASK = {
  netns: [NETNS.name, 'pptest_other'],
  sysctls: [...CONTRACT_HOST.sysctls.keys()],
};

/** Outcomes as the rows want them: cut behind the first refusal. */
export function outcomeWords(outcomes: readonly Outcome[]): readonly string[] {
  const words = outcomes.map((outcome) => (outcome instanceof KernelError ? outcome.code : outcome));
  const refused = outcomes.findIndex((outcome) => outcome instanceof KernelError);
  return refused < 0 ? words : words.slice(0, refused + 1);
}

/** All that is ours, one line each, sorted; ifindexes and MAC addresses that nobody chose are left out. */
export function seenWords(observed: Observed): readonly string[] {
  return [
    ...observed.netns.map((name) => `netns ${name}`),
    ...observed.links.map(
      ({ ifname, alias, mtu, up, multicast, master, mac }) =>
        `link ${ifname} ${alias} mtu ${mtu} ${up ? 'up' : 'down'}${multicast ? ' multicast' : ''}${master === null ? '' : ` in ${master}`}${CHOSEN.has(mac) ? ` ${mac}` : ''}`,
    ),
    ...observed.addresses
      .filter(({ cidr }) => !cidr.startsWith('fe80:'))
      .map(({ ifname, cidr }) => `address ${cidr} on ${ifname}`),
    ...observed.routes.map(routeWords),
    ...observed.rules.map(
      ({ family, priority, fwmark, table }) =>
        `rule ${family} ${priority} ${fwmark?.value ?? 'all'} to ${table}`,
    ),
    ...(observed.table ? ['table'] : []),
    ...[...observed.sysctls].flatMap(([key, value]) =>
      CONTRACT_HOST.sysctls.get(key) === value ? [] : [`${key} = ${value.replace(/\s+/g, ' ')}`],
    ),
  ].sort();
}

/** For a link that gets another one. */
export const NEW_MAC = '02:00:00:00:00:77';
const CHOSEN: ReadonlySet<string> = new Set(
  [VETH.mac, BRIDGE.mac, TAP.mac, NEW_MAC].flatMap((mac) => mac ?? []),
);

export const routeWords = ({ kind, dst, via, dev, src, table, metric, onlink }: Route): string =>
  `route ${kind} ${dst} via ${via} dev ${dev} src ${src} table ${table} metric ${metric}${onlink ? ' onlink' : ''}`;

/** Runs one row. */
export async function runRow(
  kernel: Kernel,
  { given = [], ops }: KernelRow,
): Promise<{ given: readonly string[]; outcomes: readonly string[]; seen: readonly string[] }> {
  const before = outcomeWords(await kernel.apply(given));
  const outcomes = outcomeWords(await kernel.apply(ops));
  return {
    given: before.filter((word) => word !== 'done'),
    outcomes,
    seen: seenWords(await kernel.observe(CONTRACT_ASK)),
  };
}
