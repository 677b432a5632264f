import { accept, refuse, type Checked } from '@pp/base';
import { checkedIfname, type ControlQuestion } from '@pp/daemon';
import { parseIpv6, type Ipv6Address } from '@pp/wire';
import { checkedGroupName, type GroupRegistry } from '../groups/registry';
import type { Status } from '../groups/status';

/** What the control socket is asked: a line of JSON. */
export type Request =
  | { readonly do: 'trace'; readonly address: Ipv6Address }
  | { readonly do: 'group'; readonly verb: GroupVerb; readonly args: readonly string[] };

/** `ndproxy group VERB ARGS`; verbs and their meaning are Portier's. */
export const GROUP_VERBS = {
  'bind-if': { args: ['IF'], text: 'make an interface known', run: (r, [ifname]) => r.bindInterface(ifname) },
  'release-if': { args: ['IF'], text: 'forget it', run: (r, [ifname]) => r.releaseInterface(ifname) },
  'create-group': {
    args: ['GROUP'],
    text: 'a group without interfaces',
    run: (r, [group]) => r.createGroup(group),
  },
  'release-group': {
    args: ['GROUP'],
    text: 'take it away; its interfaces stay known',
    run: (r, [group]) => r.releaseGroup(group),
  },
  'add-if': {
    args: ['IF', 'GROUP'],
    text: 'a downstream of the group',
    run: (r, [ifname, group]) => r.addToGroup(ifname, group, false),
  },
  'add-upstream': {
    args: ['IF', 'GROUP'],
    text: 'the upstream of the group',
    run: (r, [ifname, group]) => r.addToGroup(ifname, group, true),
  },
  'remove-if': { args: ['IF'], text: 'out of its group', run: (r, [ifname]) => r.removeFromGroup(ifname) },
  'set-upstream': {
    args: ['IF'],
    text: 'the upstream of its group, instead of the one before',
    run: (r, [ifname]) => r.setUpstream(ifname),
  },
  'unset-upstream': {
    args: ['GROUP'],
    text: 'its upstream becomes a downstream',
    run: (r, [group]) => r.unsetUpstream(group),
  },
} as const satisfies Record<string, Verb>;

interface Verb {
  readonly args: readonly ('IF' | 'GROUP')[];
  readonly text: string;
  readonly run: (registry: GroupRegistry, args: readonly [string, string]) => Status;
}

export type GroupVerb = keyof typeof GROUP_VERBS;

const isVerb = (text: string): text is GroupVerb => Object.hasOwn(GROUP_VERBS, text);

/** "bind-if IF" */
const GROUP_USAGE = Object.entries(GROUP_VERBS).map(([verb, { args }]) => `${verb} ${args.join(' ')}`);

/** A line for each command, for --help. */
export const CONTROL_HELP = [
  ['trace ADDR', 'every message about an address, and what became of it'] as const,
  ...Object.values(GROUP_VERBS).map(
    ({ text }, place) => [`group ${GROUP_USAGE[place] ?? ''}`, text] as const,
  ),
]
  .map(([usage, text]) => `  ndproxy ${usage.padEnd(28)}  ${text}`)
  .join('\n');

/** Words that ask the running proxy for something. */
export const CONTROL_COMMANDS = ['trace', 'group'] as const;

/** `ndproxy trace ADDR`, which has no end, and `ndproxy group VERB ...`, which prints OK. */
export function controlQuestion(
  command: 'trace' | 'group',
  words: readonly string[],
): Checked<ControlQuestion> {
  const request = requestFromArgs(command, words);
  return request.ok
    ? accept({ line: JSON.stringify(request.value), isEndless: request.value.do === 'trace' })
    : request;
}

/** The words after `ndproxy trace` or `ndproxy group`. */
export function requestFromArgs(command: 'trace' | 'group', args: readonly string[]): Checked<Request> {
  return command === 'trace' ? traceRequest(args) : groupRequest(args);
}

function traceRequest([text = '', ...more]: readonly string[]): Checked<Request> {
  const address = parseIpv6(text);
  return address === null || more.length > 0
    ? refuse(
        'InvalidArgument',
        `trace takes one IPv6 address, not '${[text, ...more].join(' ')}'; write for example ndproxy trace 2001:db8::1`,
      )
    : accept({ do: 'trace', address });
}

function groupRequest([verb = '', ...args]: readonly string[]): Checked<Request> {
  const known = verb.toLowerCase();
  if (!isVerb(known))
    return refuse(
      'InvalidArgument',
      `group ${verb === '' ? 'what' : `'${verb}'`}? write ndproxy group ${GROUP_USAGE.join(', or ')}`,
    );
  const { args: wanted } = GROUP_VERBS[known];
  if (args.length !== wanted.length)
    return refuse(
      'InvalidArgument',
      `group ${known} takes ${wanted.join(' and ')}, not '${args.join(' ')}'; write ndproxy group ${known} ${wanted.join(' ')}`,
    );
  const bad = args
    .map((arg, place) => checkedWord(wanted[place] ?? 'IF', arg))
    .find((checked) => !checked.ok);
  return bad?.ok === false ? bad : accept({ do: 'group', verb: known, args });
}

const checkedWord = (kind: 'IF' | 'GROUP', text: string): Checked<string> =>
  kind === 'IF' ? checkedIfname(text) : checkedGroupName(text);

/** A line that a client sent; checked as its command line was. */
export function requestFromLine(line: string): Checked<Request> {
  const parsed = parsedJson(line);
  if (isRecord(parsed)) {
    const { do: what, address, verb, args, ...others } = parsed;
    const isBare = Object.keys(others).length === 0;
    if (isBare && what === 'trace' && typeof address === 'string') return traceRequest([address]);
    if (isBare && what === 'group' && typeof verb === 'string' && isWords(args))
      return groupRequest([verb, ...args]);
  }
  return refuse('InvalidArgument', 'the request is not understood');
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isWords = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((word) => typeof word === 'string');

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (fault) {
    if (fault instanceof SyntaxError) return undefined;
    throw fault;
  }
}

export function runGroupVerb(registry: GroupRegistry, verb: GroupVerb, args: readonly string[]): Status {
  const [first = '', second = ''] = args;
  return GROUP_VERBS[verb].run(registry, [first, second]);
}
