import { accept, checkedAll, refuse, type Checked } from '@pp/base';
import { checkedIfname, ExitCode, wholeNumber, type RawArgs } from '@pp/daemon';
import { parseIpv4, parseIpv6 } from '@pp/wire';
import type { Command } from 'commander';
import { checkedPid } from './pid';

/** A port rule as the manager's status tells it, but for its owner; what does not apply is empty, and 0. */
export interface PortRule {
  readonly type: 'access' | 'lockdown' | 'forwarding';
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly ifname: string;
  readonly address: string;
  readonly toAddress: string;
  readonly toPort: number;
}

/** Which rules to close; null: whichever. */
export interface PortMatch {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly ifname: string | null;
  readonly address: string | null;
}

/** When a rule that was made is taken back; neither: it stays. */
export interface Hold {
  readonly forSeconds: number | null;
  readonly whilePid: number | null;
}

export type PortAction =
  | { readonly what: 'list' }
  | { readonly what: 'close'; readonly match: PortMatch }
  | { readonly what: 'create'; readonly rule: PortRule; readonly hold: Hold };

const TYPES = { open: 'access', lock: 'lockdown', forward: 'forwarding' } as const;
const WORDS = [...Object.keys(TYPES), 'close', 'list'].join(', ');
const MAX_SECONDS = 2_000_000; // 23 days; a timer holds no more than 2^31 ms
const EXAMPLE = 'write 8080, 8080/tcp or 5353/udp';

const NOTES = `
open     guests may use a port of this host, those behind --on only or all
lock     on loopback only the session's user reaches the port (see --session-user of the manager)
forward  what comes by --on for the port goes to a guest; --address: only what is sent to this address
close    takes back every rule about the port, or those with --on or --address only
list     shows all rules

A rule stays, also over restarts of the manager, until it is closed or this host is started anew. With --for or --while-pid this program
waits and closes it, as it does on Ctrl-C; killed by SIGKILL it leaves the rule. TCP is meant where no protocol is said.

A rule may name an interface that is not there yet and waits for it; that is said on standard error and in the "warnings" of --json, and
the exit code is ${ExitCode.degraded}.

Examples:
  patchpanelctl port open 8080 --on vmtap0
  patchpanelctl port forward 8080 --on eth0 --to 100.115.92.26:80 --for 3600
  patchpanelctl port lock 5432/tcp --while-pid 4242
  patchpanelctl port close 8080`;

export const portOptions = (command: Command): Command =>
  command
    .description('open, lock or forward a port, or close it again')
    .usage('open|lock|forward|close PORT[/tcp|/udp] [options] | list')
    .argument('[words...]')
    .option('--on <IF>', 'the interface that packets come in by')
    .option('--address <ADDR>', 'forward, close: the address that packets are sent to')
    .option('--to <ADDR:PORT>', "forward: the guest's address and port, IPv6 as [ADDR]:PORT")
    .option('--for <SECONDS>', 'close the port after this time')
    .option('--while-pid <N>', 'close the port when this process ends')
    .option('--json', 'print rules as JSON')
    .addHelpText('after', NOTES);

/** `port forward 8080/tcp --on eth0 --to 100.115.92.26:80` */
export function portAction(raw: RawArgs): Checked<PortAction> {
  const [word = '', portText, stray] = raw.operands;
  const fault = strayFault(raw, word, portText, stray);
  if (fault !== null) return refuse('InvalidArgument', fault);
  if (word === 'list') return accept({ what: 'list' });
  const port = protocolAndPort(portText ?? '');
  if (!port.ok) return port;
  const ifname = raw.one('on') === undefined ? accept(null) : checkedIfname(raw.one('on') ?? '');
  if (!ifname.ok) return refuse(ifname.reason, `--on ${ifname.sentence}`);
  const address =
    raw.one('address') === undefined ? accept(null) : checkedAddress('--address', raw.one('address') ?? '');
  if (!address.ok) return address;
  const match = { ...port.value, ifname: ifname.value, address: address.value };
  if (word === 'close') return accept({ what: 'close', match });
  const rule = ruleOf(raw, word === 'open' || word === 'lock' ? word : 'forward', match);
  if (!rule.ok) return rule;
  const hold = holdOf(raw);
  return hold.ok ? accept({ what: 'create', rule: rule.value, hold: hold.value }) : hold;
}

/** Options of the other words are mistakes, not noise. */
function strayFault(
  raw: RawArgs,
  word: string,
  port: string | undefined,
  stray: string | undefined,
): string | null {
  const allowed = OPTIONS[word];
  if (allowed === undefined)
    return `port ${word === '' ? 'what' : `'${word}'`}? write port ${WORDS}; see patchpanelctl port --help`;
  if (word === 'list' && port !== undefined) return `port list takes no argument '${port}'; leave it out`;
  if (stray !== undefined)
    return `port ${word} takes one port, not '${port ?? ''}' and '${stray}'; write for example port ${word} ${portAmong([port ?? '', stray])}`;
  if (word !== 'list' && port === undefined) return `port ${word} which? ${EXAMPLE}`;
  const option = Object.values(OPTIONS)
    .flat()
    .find((name) => raw.one(name) !== undefined && !allowed.includes(name));
  return option === undefined ? null : `port ${word} takes no --${option}; leave it out`;
}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  open: ['on', 'for', 'while-pid'],
  lock: ['for', 'while-pid'],
  forward: ['on', 'address', 'to', 'for', 'while-pid'],
  close: ['on', 'address'],
  list: [],
};

function ruleOf(raw: RawArgs, word: keyof typeof TYPES, match: PortMatch): Checked<PortRule> {
  const { protocol, port, ifname, address } = match;
  const rule = { type: TYPES[word], protocol, port, ifname: ifname ?? '', address: address ?? '' };
  if (word !== 'forward') return accept({ ...rule, toAddress: '', toPort: 0 });
  if (ifname === null)
    return refuse(
      'InvalidArgument',
      'forward from where? write --on IF, the interface that packets come in by',
    );
  const to = targetOf(raw.one('to') ?? '');
  if (to === null)
    return refuse(
      'InvalidArgument',
      `forward ${raw.one('to') === undefined ? 'where' : `to '${raw.one('to') ?? ''}'`}? write --to ADDR:PORT, such as --to 100.115.92.26:80 or --to [2001:db8::2]:80`,
    );
  return accept({ ...rule, ...to });
}

/** "100.115.92.26:80" or "[2001:db8::2]:80". */
function targetOf(text: string): Pick<PortRule, 'toAddress' | 'toPort'> | null {
  const [, ipv6, ipv4 = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const toAddress = ipv6 === undefined ? parseIpv4(ipv4) : parseIpv6(ipv6);
  const toPort = portOf(port);
  return toAddress === null || toPort === null ? null : { toAddress, toPort };
}

function holdOf(raw: RawArgs): Checked<Hold> {
  const pid = raw.one('while-pid');
  return checkedAll({
    forSeconds: wholeNumber(raw, 'for', [1, MAX_SECONDS], null),
    whilePid: pid === undefined ? accept(null) : checkedPid('while-pid', pid),
  });
}

function protocolAndPort(text: string): Checked<Pick<PortMatch, 'protocol' | 'port'>> {
  const [number = '', protocol = 'tcp', ...more] = text.split('/');
  const port = portOf(number);
  if (port !== null && (protocol === 'tcp' || protocol === 'udp') && more.length === 0)
    return accept({ protocol, port });
  return refuse('InvalidArgument', `'${text}' is no port; ${EXAMPLE}`);
}

/** The first of the words that is a port, else one for example. */
const portAmong = (words: readonly string[]): string =>
  words.find((word) => protocolAndPort(word).ok) ?? '8080';

function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

function checkedAddress(option: string, text: string): Checked<string> {
  const address = parseIpv4(text) ?? parseIpv6(text);
  if (address !== null) return accept(address);
  return refuse(
    'InvalidArgument',
    `${option} '${text}' is no address; write one such as 192.168.1.2 or 2001:db8::2`,
  );
}
