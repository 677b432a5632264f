import { accept, checkedAll, given, refuse, type Checked } from '@pp/base';
import type { ControlQuestion } from '@pp/daemon';
import { checkedFilterRule, isGuestPattern, type FilterRule } from './core/filter-rule';
import { checkedGroup, groupKey, type Group } from './core/group';
import { DIRECTIONS, type Direction, type Policy, type PortForward } from './core/policy';
import { checkedForward, forwardText } from './core/port-forward';
import type { Settings } from './settings';

/** "trace ..." and so on, for --help. */
export const COMMAND_USAGE = [
  'trace [TEXT]                                  every packet (whose line has TEXT) and what became of it',
  'group add|del ADDR:PORT[:reply=SECONDS]       another multicast group',
  'filter allow|deny|del RULE                    which services pass',
  'direction WAY [GUEST]                         two-way, inbound, outbound or off; of one guest',
  'guests together|apart                         whether guests find each other',
  'forward add|del tcp|udp:HOSTPORT=GUEST:PORT   a port of the host that leads to a guest, to be told in place of the guest’s',
] as const;

export const COMMANDS = ['trace', 'group', 'filter', 'direction', 'guests', 'forward'] as const;
export type Command = (typeof COMMANDS)[number];

/** The first word of a command line that asks the running service for something, else undefined. */
export const commandOf = ([word]: readonly string[]): Command | undefined =>
  COMMANDS.find((command) => command === word);

/** What to ask the running service, which reads the same words again. */
export function commandQuestion(command: Command, words: readonly string[]): Checked<ControlQuestion> {
  const all = [command, ...words];
  const checked = command === 'trace' ? traceText(all) : checkedChange(all);
  return checked.ok ? accept({ line: JSON.stringify(all), isEndless: command === 'trace' }) : checked;
}

/** What the lines of `trace [TEXT]` must have. */
export const traceText = (words: readonly string[]): Checked<string> =>
  commandOf(words) === 'trace' && words.length <= 2 ? accept(words[1] ?? '') : usage(words);

/** What a command makes of the settings; refused where they have not what it takes away. */
export type Change = (settings: Settings) => Checked<Settings>;

/** Reads a command that changes settings. */
export function checkedChange(words: readonly string[]): Checked<Change> {
  const [, verb = '', text = ''] = words;
  const command = commandOf(words);
  const isUnderstood = command !== undefined && SHAPES[command](verb, words.length);
  if (!isUnderstood) return usage(words);
  switch (command) {
    case 'trace':
      return usage(words);
    case 'group':
      return given(checkedGroup(text), (group) => groupChange(verb, group, text));
    case 'filter':
      return given(checkedFilterRule(verb === 'deny' ? 'deny' : 'allow', text), (rule) =>
        ofPolicy(filterChange(verb, rule)),
      );
    case 'direction':
      return given(
        checkedAll({ direction: checkedDirection(verb), guest: checkedGuest(words[2]) }),
        ({ direction, guest }) => ofPolicy(directionChange(direction, guest)),
      );
    case 'guests':
      return accept(ofPolicy((policy) => accept({ ...policy, betweenGuests: verb === 'together' })));
    case 'forward':
      return given(checkedForward(text), (forward) => ofPolicy(forwardChange(verb, forward, text)));
  }
}

/** Whether a command's second word and the number of its words are as in COMMAND_USAGE. */
const SHAPES: Readonly<Record<Command, (verb: string, count: number) => boolean>> = {
  trace: (_text, count) => count <= 2,
  group: (verb, count) => (verb === 'add' || verb === 'del') && count === 3,
  filter: (verb, count) => (verb === 'allow' || verb === 'deny' || verb === 'del') && count === 3,
  direction: (_way, count) => count === 2 || count === 3,
  guests: (how, count) => (how === 'together' || how === 'apart') && count === 2,
  forward: (verb, count) => (verb === 'add' || verb === 'del') && count === 3,
};

/** The lines of the command, or all of them where there is no such command. */
function usage(words: readonly string[]): Checked<never> {
  const own = COMMAND_USAGE.filter((line) => line.split(' ')[0] === words[0]);
  const lines = own.length > 0 ? own : COMMAND_USAGE;
  return refuse(
    'InvalidArgument',
    `'${words.join(' ')}' is not understood; write ${lines.map((line) => line.split('  ')[0]).join(', or ')}`,
  );
}

type PolicyChange = (policy: Policy) => Checked<Policy>;

const ofPolicy =
  (change: PolicyChange): Change =>
  (settings) =>
    given(change(settings.policy), (policy) => ({ ...settings, policy }));

const groupChange =
  (verb: string, group: Group, text: string): Change =>
  (settings) => {
    const others = settings.groups.filter((each) => groupKey(each) !== groupKey(group));
    if (verb === 'add') return accept({ ...settings, groups: [...others, group] });
    return others.length < settings.groups.length
      ? accept({ ...settings, groups: others })
      : refuse('NotFound', `there is no group ${text}`);
  };

const filterChange =
  (verb: string, rule: FilterRule): PolicyChange =>
  (policy) => {
    const others = policy.filters.filter((each) => each.text !== rule.text);
    if (verb !== 'del') return accept({ ...policy, filters: [...others, rule] });
    return others.length < policy.filters.length
      ? accept({ ...policy, filters: others })
      : refuse('NotFound', `there is no filter '${rule.text}'`);
  };

function checkedDirection(word: string): Checked<Direction> {
  const direction = DIRECTIONS.find((each) => each === word);
  return direction === undefined
    ? refuse('InvalidArgument', `direction '${word}' is unknown; write ${DIRECTIONS.join(' or ')}`)
    : accept(direction);
}

/** undefined: of all. */
const checkedGuest = (guest: string | undefined): Checked<string | undefined> =>
  guest === undefined || isGuestPattern(guest)
    ? accept(guest)
    : refuse(
        'InvalidArgument',
        `guest '${guest}' cannot be an interface; write a name as "ip link" shows it, or no GUEST for all`,
      );

const directionChange =
  (direction: Direction, guest: string | undefined): PolicyChange =>
  (policy) => {
    if (guest === undefined) return accept({ ...policy, direction });
    const others = policy.guestDirections.filter((each) => each.guest !== guest);
    return accept({ ...policy, guestDirections: [...others, { guest, direction }] });
  };

const forwardChange =
  (verb: string, forward: PortForward, text: string): PolicyChange =>
  (policy) => {
    const others = policy.forwards.filter((each) => forwardText(each) !== text);
    if (verb === 'add') return accept({ ...policy, forwards: [...others, forward] });
    return others.length < policy.forwards.length
      ? accept({ ...policy, forwards: others })
      : refuse('NotFound', `there is no forward '${text}'`);
  };
