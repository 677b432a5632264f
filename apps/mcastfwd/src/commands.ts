import { accept, refuse, type Checked } from '@pp/base';
import { checkedFilterRule } from './core/filter-rule';
import { checkedGroup, groupKey, type Group } from './core/group';
import { DIRECTIONS, type Policy } from './core/policy';
import { checkedForward, forwardText } from './core/port-forward';
import type { Settings } from './settings';

/** "trace ..." and so on, for --help. */
export const COMMAND_USAGE = [
  'trace [TEXT]                              every packet (whose line has TEXT) and what became of it',
  'group add|del ADDR:PORT[:reply=SECONDS]   another multicast group',
  'filter allow|deny|del RULE                which services pass',
  'direction WAY [GUEST]                     two-way, inbound, outbound or off; of one guest',
  'guests together|apart                     whether guests find each other',
  'forward add|del tcp:HOSTPORT=GUEST:PORT   a port of the host that leads to a guest',
] as const;

export const COMMANDS = ['trace', 'group', 'filter', 'direction', 'guests', 'forward'] as const;
export type Command = (typeof COMMANDS)[number];

/** The first word of a command line that asks the running service for something, else undefined. */
export const commandOf = ([word]: readonly string[]): Command | undefined =>
  COMMANDS.find((command) => command === word);

/** The settings after a command; all of it is checked before anything changes. */
export function changed(settings: Settings, words: readonly string[]): Checked<Settings> {
  const [, verb = '', text = '', ...more] = words;
  const command = commandOf(words);
  if (command === undefined || command === 'trace' || more.length > 0) return usage(words);
  const policyAfter = (policy: Checked<Policy>): Checked<Settings> =>
    policy.ok ? accept({ ...settings, policy: policy.value }) : policy;
  const { policy } = settings;
  switch (command) {
    case 'group':
      return withGroups(settings, verb, text);
    case 'filter':
      return policyAfter(withFilter(policy, verb, text));
    case 'direction':
      return policyAfter(withDirection(policy, verb, text));
    case 'guests':
      return text === '' && (verb === 'together' || verb === 'apart')
        ? policyAfter(accept({ ...policy, betweenGuests: verb === 'together' }))
        : usage(words);
    case 'forward':
      return policyAfter(withForward(policy, verb, text));
  }
}

const usage = (words: readonly string[]): Checked<never> =>
  refuse(
    'InvalidArgument',
    `'${words.join(' ')}' is not understood; write ${COMMAND_USAGE.map((line) => line.split('  ')[0]).join(', or ')}`,
  );

function withGroups(settings: Settings, verb: string, text: string): Checked<Settings> {
  const group = checkedGroup(text);
  if (!group.ok) return group;
  const isSame = (each: Group): boolean => groupKey(each) === groupKey(group.value);
  const others = settings.groups.filter((each) => !isSame(each));
  const isThere = others.length < settings.groups.length;
  if (verb === 'add') return accept({ ...settings, groups: [...others, group.value] });
  if (verb !== 'del') return usage(['group', verb, text]);
  return isThere ? accept({ ...settings, groups: others }) : refuse('NotFound', `there is no group ${text}`);
}

function withFilter(policy: Policy, verb: string, text: string): Checked<Policy> {
  if (verb !== 'allow' && verb !== 'deny' && verb !== 'del') return usage(['filter', verb, text]);
  const rule = checkedFilterRule(verb === 'deny' ? 'deny' : 'allow', text);
  if (!rule.ok) return rule;
  const others = policy.filters.filter((each) => each.text !== text);
  if (verb !== 'del') return accept({ ...policy, filters: [...others, rule.value] });
  return others.length < policy.filters.length
    ? accept({ ...policy, filters: others })
    : refuse('NotFound', `there is no filter '${text}'`);
}

function withDirection(policy: Policy, word: string, guest: string): Checked<Policy> {
  const direction = DIRECTIONS.find((each) => each === word);
  if (direction === undefined)
    return refuse('InvalidArgument', `direction '${word}' is unknown; write ${DIRECTIONS.join(' or ')}`);
  if (guest === '') return accept({ ...policy, direction });
  const others = policy.guestDirections.filter((each) => each.guest !== guest);
  return accept({ ...policy, guestDirections: [...others, { guest, direction }] });
}

function withForward(policy: Policy, verb: string, text: string): Checked<Policy> {
  const forward = checkedForward(text);
  if (!forward.ok) return forward;
  const others = policy.forwards.filter((each) => forwardText(each) !== text);
  if (verb === 'add') return accept({ ...policy, forwards: [...others, forward.value] });
  if (verb !== 'del') return usage(['forward', verb, text]);
  return others.length < policy.forwards.length
    ? accept({ ...policy, forwards: others })
    : refuse('NotFound', `there is no forward '${text}'`);
}
