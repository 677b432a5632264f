import { accept, refuse, type Checked } from '@pp/base';
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
      flags: '--forward <tcp:HOSTPORT=GUEST:PORT>',
      text: 'a port of the host that leads to a guest; may be repeated',
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
  const protocols = checkedProtocols(raw.one('protocol') ?? PROTOCOLS.join());
  if (!protocols.ok) return protocols;
  const groups = checkedEach(raw.all('group'), checkedGroup);
  if (!groups.ok) return groups;
  const twice = groups.value.find(
    (group, i) => groups.value.findIndex((each) => each.name === group.name) !== i,
  );
  if (twice !== undefined)
    return refuse('InvalidArgument', `group '${groupKey(twice)}' is there twice; write it once`);
  const policy = checkedPolicy(raw);
  if (!policy.ok) return policy;
  const fan = checkedFan(raw.operands, EXAMPLE);
  if (!fan.ok) return fan;
  const links = fan.value === undefined ? [] : [{ lan: fan.value.first, guests: fan.value.rest }];
  return accept({ groups: [...groupsOf(protocols.value), ...groups.value], policy: policy.value, links });
}

function checkedPolicy(raw: RawArgs): Checked<Policy> {
  const direction = choice(raw, 'direction', DIRECTIONS, 'two-way');
  if (!direction.ok) return direction;
  const guests = choice(raw, 'guests', ['together', 'apart'], 'together');
  if (!guests.ok) return guests;
  const locations = choice(raw, 'location', LOCATIONS, 'rewrite');
  if (!locations.ok) return locations;
  const replyFrom = choice(raw, 'reply-from', ['group', 'session'], 'group');
  if (!replyFrom.ok) return replyFrom;
  const filters = checkedFilters(raw);
  if (!filters.ok) return filters;
  const nat = checkedFamilies(raw.one('nat') ?? 'ipv4');
  if (!nat.ok) return nat;
  const forwards = checkedEach(raw.all('forward'), checkedForward);
  if (!forwards.ok) return forwards;
  return accept({
    ...DEFAULT_POLICY,
    direction: direction.value,
    betweenGuests: guests.value === 'together',
    filters: filters.value,
    nat: nat.value,
    locations: locations.value,
    forwards: forwards.value,
    isOneLink: raw.has('one-link'),
    txtKeys: raw.all('txt-address'),
    replyFrom: replyFrom.value,
  });
}

function checkedFilters(raw: RawArgs): Checked<readonly FilterRule[]> {
  const allow = checkedEach(raw.all('allow'), (text) => checkedFilterRule('allow', text));
  if (!allow.ok) return allow;
  const deny = checkedEach(raw.all('deny'), (text) => checkedFilterRule('deny', text));
  return deny.ok ? accept([...allow.value, ...deny.value]) : deny;
}

/** The first refusal, or all of them. */
function checkedEach<T>(
  texts: readonly string[],
  check: (text: string) => Checked<T>,
): Checked<readonly T[]> {
  const values: T[] = [];
  for (const text of texts) {
    const checked = check(text);
    if (!checked.ok) return checked;
    values.push(checked.value);
  }
  return accept(values);
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
