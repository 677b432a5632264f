import { accept, checkedAll, checkedEach, refuse, type Checked } from '@pp/base';
import { checkedFan, choice, VERSION, type RawArgs, type ServiceSpec } from '@pp/daemon';
import type { Family } from '@pp/wire';
import { COMMAND_USAGE } from './commands';
import { checkedFilterRule, type FilterRule } from './core/filter-rule';
import { checkedGroup, groupKey, groupsOf, PROTOCOLS, type Group, type Protocol } from './core/group';
import { DEFAULT_POLICY, DIRECTIONS, LOCATIONS, type Policy } from './core/policy';
import { checkedForward } from './core/port-forward';
import type { Link } from './core/topology';

export interface Config {
  readonly groups: readonly Group[];
  readonly policy: Policy;
  /** One, or none: follow the manager. */
  readonly links: readonly Link[];
}

const EXAMPLE = 'mcastfwd eth0 vmtap0';

export const SPEC: ServiceSpec<Config> = {
  name: 'mcastfwd',
  version: VERSION,
  description:
    'Passes mDNS, SSDP and other multicast groups on between a LAN and guests, both ways, also where guests are behind NAT.',
  options: [
    { flags: '--protocol <NAMES>', text: 'mdns, ssdp, both with a comma, or none (default: mdns,ssdp)' },
    {
      flags: '--group <ADDR:PORT[:reply=SECONDS]>',
      text: 'another group; with reply, answers are passed back so long; may be repeated',
      repeat: true,
    },
    {
      flags: '--direction <WAY>',
      text: 'two-way (default), inbound (guests are found), outbound (guests find) or off',
    },
    { flags: '--guests <HOW>', text: 'together (default): guests find each other, or apart' },
    {
      flags: '--allow <RULE>',
      text: 'only these services pass: [in:|out:|between:]NAME[@GUEST]; may be repeated',
      repeat: true,
    },
    { flags: '--deny <RULE>', text: 'these services do not pass; may be repeated', repeat: true },
    {
      flags: '--nat <FAMILIES>',
      text: 'guests are behind the host: ipv4 (default), ipv6, both with a comma, or none',
    },
    {
      flags: '--forward <tcp|udp:HOSTPORT=GUEST:PORT>',
      text: 'a port of the host that leads to a guest, to be told in place of the guest’s; may be repeated',
      repeat: true,
    },
    { flags: '--location <POLICY>', text: 'SSDP: rewrite (default), keep or drop-unreachable' },
    {
      flags: '--reply-from <PORT>',
      text: 'answers to a searcher come from the port of the group (default) or of the session',
    },
    {
      flags: '--txt-address <KEY>',
      text: 'a key of TXT records that holds the guest’s address; may be repeated',
      repeat: true,
    },
    {
      flags: '--one-link',
      text: 'the members are one link (ndproxy --mode bridge): link-local addresses pass',
    },
  ],
  operands: {
    synopsis: '[LAN GUEST...]',
    text: 'Without interfaces the manager says what to forward. A guest may end in * (vmtap*); what is not there yet is awaited.',
  },
  notes: `Of the running service, as root:\n${COMMAND_USAGE.map((line) => `  mcastfwd ${line}`).join('\n')}\n\nExamples:\n  mcastfwd --protocol mdns eth0 'vmtap*'\n  ${EXAMPLE} --deny out:_googlecast._tcp --group 239.255.255.250:3702:reply=10`,
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  const checked = checkedAll({
    protocols: checkedProtocols(raw.one('protocol') ?? PROTOCOLS.join()),
    others: checkedGroups(raw.all('group')),
    policy: checkedPolicy(raw),
    fan: checkedFan(raw.operands, EXAMPLE),
  });
  if (!checked.ok) return checked;
  const { protocols, others, policy, fan } = checked.value;
  const links = fan === undefined ? [] : [{ lan: fan.first, guests: fan.rest }];
  return accept({ groups: [...groupsOf(protocols), ...others], policy, links });
}

function checkedGroups(texts: readonly string[]): Checked<readonly Group[]> {
  const groups = checkedEach(texts, checkedGroup);
  if (!groups.ok) return groups;
  const names = groups.value.map(({ name }) => name);
  const twice = groups.value.find(({ name }, i) => names.indexOf(name) !== i);
  return twice === undefined
    ? groups
    : refuse('InvalidArgument', `group '${groupKey(twice)}' is there twice; write it once`);
}

function checkedPolicy(raw: RawArgs): Checked<Policy> {
  const checked = checkedAll({
    direction: choice(raw, 'direction', DIRECTIONS, 'two-way'),
    guests: choice(raw, 'guests', ['together', 'apart'], 'together'),
    locations: choice(raw, 'location', LOCATIONS, 'rewrite'),
    replyFrom: choice(raw, 'reply-from', ['group', 'session'], 'group'),
    filters: checkedFilters(raw),
    nat: checkedFamilies(raw.one('nat') ?? 'ipv4'),
    forwards: checkedEach(raw.all('forward'), checkedForward),
    txtKeys: checkedEach(raw.all('txt-address'), checkedTxtKey),
  });
  if (!checked.ok) return checked;
  const { guests, ...policy } = checked.value;
  return accept({
    ...DEFAULT_POLICY,
    ...policy,
    betweenGuests: guests === 'together',
    isOneLink: raw.has('one-link'),
  });
}

/** RFC 6763 §6.4: printable ASCII but "=". */
const checkedTxtKey = (key: string): Checked<string> =>
  /^[ -<>-~]+$/.test(key)
    ? accept(key)
    : refuse(
        'InvalidArgument',
        `--txt-address '${key}' is no key of TXT records; write for example --txt-address ip`,
      );

function checkedFilters(raw: RawArgs): Checked<readonly FilterRule[]> {
  const rules = checkedAll({
    allow: checkedEach(raw.all('allow'), (text) => checkedFilterRule('allow', text)),
    deny: checkedEach(raw.all('deny'), (text) => checkedFilterRule('deny', text)),
  });
  return rules.ok ? accept([...rules.value.allow, ...rules.value.deny]) : rules;
}

function checkedProtocols(text: string): Checked<readonly Protocol[]> {
  if (text === 'none') return accept([]);
  return checkedWords('protocol', text, PROTOCOLS, 'mdns, ssdp, mdns,ssdp or none');
}

function checkedFamilies(text: string): Checked<readonly Family[]> {
  if (text === 'none') return accept([]);
  return checkedWords('nat', text, ['ipv4', 'ipv6'], 'ipv4, ipv6, ipv4,ipv6 or none');
}

function checkedWords<W extends string>(
  option: string,
  text: string,
  all: readonly W[],
  instead: string,
): Checked<readonly W[]> {
  const words = text.split(',');
  const stray = words.find((word) => !all.some((each) => each === word));
  return stray === undefined
    ? accept(all.filter((each) => words.includes(each)))
    : refuse('InvalidArgument', `--${option} '${stray}' is unknown; write ${instead}`);
}
