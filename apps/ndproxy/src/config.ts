import { accept, checkedAll, checkedEach, refuse, type Checked } from '@pp/base';
import { beyondLength, checkedFan, choice, VERSION, type RawArgs, type ServiceSpec } from '@pp/daemon';
import { formatCidr, ipv6ToBytes, isNetwork, macToBytes, networkOf, parseCidr, parseMac } from '@pp/wire';
import { CONTROL_HELP } from './control/request';
import { macNumber } from './core/keys';
import type { Switches } from './core/limits';
import { RA_PARTS, type Policy, type Prefix, type RaPart } from './core/policy';

const MODES = ['route', 'bridge'] as const;
const LOOP_POLICIES = ['guard', 'rfc', 'nested'] as const;

/** One upstream and its downstreams, proxied on their own. */
export interface Group {
  readonly name: string;
  readonly upstream: string;
  readonly downstreams: readonly string[];
}

export interface Config {
  readonly mode: (typeof MODES)[number];
  readonly loopPolicy: (typeof LOOP_POLICIES)[number];
  readonly switches: Switches;
  readonly policy: Policy;
  /** See ProxySettings. */
  readonly strict: boolean;
  /** None: follow the manager. */
  readonly groups: readonly Group[];
  /** Groups are also changed by D-Bus, as org.chromium.Portier. */
  readonly portier: boolean;
}

/** The group of the interfaces that are named without one. */
const OPERANDS_GROUP = 'main';

const EXAMPLE = 'ndproxy eth0 vmtap0';
const GROUP_EXAMPLE = '--group lan:eth0,vmtap0';

export const SPEC: ServiceSpec<Config> = {
  name: 'ndproxy',
  version: VERSION,
  description: 'Proxies IPv6 neighbour discovery between interfaces that share a prefix (RFC 4389).',
  options: [
    {
      flags: '--mode <MODE>',
      text: 'route: the kernel forwards the data (default); bridge: ndproxy carries all IPv6, hop limits stay',
    },
    {
      flags: '--loop-policy <POLICY>',
      text: 'router advertisements from downstream: guard (default), rfc or nested',
    },
    {
      flags: '--strict',
      text: 'a downstream opens only after two router advertisements; without it, also when none comes for 12 s',
    },
    {
      flags: '--suppress',
      text: 'ask for a neighbour that was heard within 30 s only where it is, not on every segment',
    },
    {
      flags: '--announce-moves',
      text: 'when a node goes to another segment, tell the one it left that the way to it is here',
    },
    {
      flags: '--ra-multicast',
      text: 'pass a router advertisement that answers one host on to all, for modems that send no others',
    },
    {
      flags: '--drop-signed',
      text: 'drop what SEND has signed where it must be changed; without it, it passes as if unsigned (RFC 4389 §9)',
    },
    {
      flags: '--only-prefix <PREFIX>',
      text: 'proxy addresses of this prefix only, and announce no other to downstreams; may be repeated',
      repeat: true,
    },
    {
      flags: '--not-prefix <PREFIX>',
      text: 'proxy none of this prefix, and do not announce it; may be repeated',
      repeat: true,
    },
    {
      flags: '--ra-without <WHAT,...>',
      text: `router advertisements pass without: ${RA_PARTS.join(', ')} (M, O, resolvers, search domains)`,
    },
    {
      flags: '--dad-ignore <MAC>',
      text: 'this station claims every address that a guest checks (some access networks do): not believed; may be repeated',
      repeat: true,
    },
    {
      flags: '--group <NAME:UP,DOWN,...>',
      text: 'an upstream and its downstreams; may be repeated',
      repeat: true,
    },
    { flags: '--portier', text: 'let root change groups by D-Bus too, as org.chromium.Portier' },
  ],
  operands: {
    synopsis: '[UPSTREAM DOWNSTREAM...]',
    text: 'Interfaces that are not there yet are awaited; a downstream may end in * (vmtap*). Without any, ndproxy follows patchpanel-manager.',
  },
  exitCodes: { idle: 'no IPv6 on this host' },
  notes: `Of the running proxy, as root:\n${CONTROL_HELP}\n\nExamples:\n  ${EXAMPLE}\n  ndproxy ${GROUP_EXAMPLE} --group lab:eth1,vmtap1,vmtap2`,
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  return checkedAll({
    mode: choice(raw, 'mode', MODES, 'route'),
    loopPolicy: choice(raw, 'loop-policy', LOOP_POLICIES, 'guard'),
    switches: accept({
      suppress: raw.has('suppress'),
      announceMoves: raw.has('announce-moves'),
      raMulticast: raw.has('ra-multicast'),
      dropSigned: raw.has('drop-signed'),
    }),
    strict: accept(raw.has('strict')),
    policy: checkedPolicy(raw),
    groups: checkedGroups(raw),
    portier: accept(raw.has('portier')),
  });
}

const checkedPolicy = (raw: RawArgs): Checked<Policy> =>
  checkedAll({
    onlyPrefixes: checkedEach(raw.all('only-prefix'), (text) => checkedPrefix('only-prefix', text)),
    notPrefixes: checkedEach(raw.all('not-prefix'), (text) => checkedPrefix('not-prefix', text)),
    dadIgnore: setOf(checkedEach(raw.all('dad-ignore'), checkedStation)),
    raWithout: setOf(checkedEach(raw.one('ra-without')?.split(',') ?? [], checkedRaPart)),
  });

const setOf = <T>(checked: Checked<readonly T[]>): Checked<ReadonlySet<T>> =>
  checked.ok ? accept(new Set(checked.value)) : checked;

function checkedPrefix(option: string, text: string): Checked<Prefix> {
  const cidr = parseCidr(text);
  if (cidr?.family !== 'ipv6')
    return refuse(
      'InvalidArgument',
      `--${option} '${text}' is no IPv6 prefix; write for example --${option} 2001:db8::/32`,
    );
  return isNetwork(cidr)
    ? accept({ prefix: ipv6ToBytes(cidr.address), length: cidr.length })
    : refuse('InvalidArgument', beyondLength(option, text, formatCidr(networkOf(cidr))));
}

/** See macNumber. */
function checkedStation(text: string): Checked<number> {
  const mac = parseMac(text);
  return mac === null
    ? refuse(
        'InvalidArgument',
        `--dad-ignore '${text}' is no Ethernet address; write for example --dad-ignore 02:00:00:00:00:01`,
      )
    : accept(macNumber(macToBytes(mac)));
}

function checkedRaPart(text: string): Checked<RaPart> {
  const part = RA_PARTS.find((each) => each === text);
  return part === undefined
    ? refuse(
        'InvalidArgument',
        `--ra-without '${text}' is unknown; write ${RA_PARTS.join(', ')}, with commas between`,
      )
    : accept(part);
}

/** An interface is in one group only: it has one upstream. */
function checkedGroups(raw: RawArgs): Checked<readonly Group[]> {
  const checked = checkedAll({
    own: checkedFan(raw.operands, EXAMPLE),
    named: checkedEach(raw.all('group'), checkedGroup),
  });
  if (!checked.ok) return checked;
  const { own, named } = checked.value;
  const groups = own === undefined ? named : [groupOf(OPERANDS_GROUP, own), ...named];
  const twice = repeated(groups.map(({ name }) => name));
  if (twice !== undefined)
    return refuse('InvalidArgument', `group '${twice}' is there twice; give each group a name of its own`);
  const shared = repeated(groups.flatMap(({ upstream, downstreams }) => [upstream, ...downstreams]));
  if (shared !== undefined)
    return refuse('InvalidArgument', `interface '${shared}' is in two groups; name it in one`);
  return accept(groups);
}

function checkedGroup(text: string): Checked<Group> {
  const found = /^([\w-]+):(.*)$/.exec(text);
  const [, name, members] = found ?? [];
  if (name === undefined || members === undefined)
    return refuse(
      'InvalidArgument',
      `--group '${text}' is not NAME:UP,DOWN; write for example ${GROUP_EXAMPLE}`,
    );
  const fan = checkedFan(members.split(','), GROUP_EXAMPLE);
  if (!fan.ok) return fan;
  return fan.value === undefined
    ? refuse('InvalidArgument', `group '${name}' is empty`)
    : accept(groupOf(name, fan.value));
}

function groupOf(
  name: string,
  { first, rest }: { readonly first: string; readonly rest: readonly string[] },
): Group {
  return { name, upstream: first, downstreams: rest };
}

const repeated = (words: readonly string[]): string | undefined =>
  words.find((word, place) => words.indexOf(word) !== place);
