import { accept, type Checked } from '@pp/base';
import { checkedFan, choice, VERSION, type RawArgs, type ServiceSpec } from '@pp/daemon';
import { checkedMark, checkedRate, checkedTargets } from './args/numbers';
import { checkedPorts } from './args/ports';
import { checkedRules } from './args/rules';
import type { Policy } from './core/policy';
import {
  DIRECTIONS,
  MAX_MARK_ID,
  SOURCES,
  type Direction,
  type Mark,
  type SourceMode,
} from './core/settings';
import type { DesiredPair } from './desired';

export interface Config {
  /** Undefined: follow the manager. */
  readonly pairs: readonly DesiredPair[] | undefined;
  readonly direction: Direction;
  readonly toLan: SourceMode;
  readonly toGuests: SourceMode;
  readonly policy: Policy;
  /** Frames a second of one source; 0: no limit. */
  readonly rate: number;
  readonly mark: Mark | null;
  /** By interface. */
  readonly targets: ReadonlyMap<string, readonly number[]>;
}

export const EXAMPLE = 'bcast-fwd eth0 vmtap0';

export const SPEC: ServiceSpec<Config> = {
  name: 'bcast-fwd',
  version: VERSION,
  description: 'Relays IPv4 UDP broadcasts between a LAN and guests, both ways.',
  options: [
    { flags: '--ports <LIST>', text: 'destination ports, default 1024-65535; DHCP (67, 68) never' },
    { flags: '--wake-on-lan', text: 'relay magic packets, whatever their port' },
    { flags: '--direction <WAY>', text: 'two-way (default), inbound (LAN to guests) or outbound' },
    {
      flags: '--to-lan <SOURCE>',
      text: 'sender as the LAN sees it: auto (default), egress, session or preserve',
    },
    {
      flags: '--to-guests <SOURCE>',
      text: 'sender as guests see it: preserve (default), egress, session or auto',
    },
    {
      flags: '--target <IF=ADDR>',
      text: 'send to ADDR on IF, which has no broadcast (WireGuard, TUN); may be repeated',
      repeat: true,
    },
    { flags: '--rate <N>', text: 'frames a second of one source, default 500; 0: no limit' },
    { flags: '--allow <[IF:]CIDR[:PORTS]>', text: 'relay these sources only; may be repeated', repeat: true },
    {
      flags: '--block <[IF:]CIDR[:PORTS]>',
      text: 'do not relay these sources; may be repeated',
      repeat: true,
    },
    {
      flags: '--mark <FIELD:ID>',
      text: `dscp:ID or ttl:ID (1 to ${MAX_MARK_ID}): what bears a mark of any relay is not relayed again`,
    },
  ],
  operands: {
    synopsis: '[LAN GUEST...]',
    text: 'Interfaces that are not there yet are awaited; a guest may end in * (vmtap*). Without interfaces the manager says what to relay.',
  },
  notes: [
    'Senders:',
    '  preserve  as it came',
    '  egress    this host, with the port of the sender',
    '  session   this host; answers go back to the sender, its port may be another one',
    '  auto      as session where the port is a client’s (32768 and above) and free here, else as egress',
    '',
    'Of the running relay, as root:',
    '  bcast-fwd trace [ADDR] [--state-dir DIR]    every broadcast, or those of one sender, and what became of it',
    '',
    'Examples:',
    `  ${EXAMPLE}`,
    "  bcast-fwd --ports 1024-65535,137-138 --wake-on-lan eth0 'vmtap*'",
    '  bcast-fwd --target wg0=10.9.0.2 --block eth0:192.168.1.66:27036 eth0 wg0',
  ].join('\n'),
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  const fan = checkedFan(raw.operands, EXAMPLE);
  if (!fan.ok) return fan;
  const direction = choice(raw, 'direction', DIRECTIONS, 'two-way');
  if (!direction.ok) return direction;
  const toLan = choice(raw, 'to-lan', SOURCES, 'auto');
  if (!toLan.ok) return toLan;
  const toGuests = choice(raw, 'to-guests', SOURCES, 'preserve');
  if (!toGuests.ok) return toGuests;
  const policy = checkedPolicy(raw);
  if (!policy.ok) return policy;
  const rate = checkedRate(raw.one('rate'));
  if (!rate.ok) return rate;
  const mark = checkedMark(raw.one('mark'));
  if (!mark.ok) return mark;
  const targets = checkedTargets(raw.all('target'));
  if (!targets.ok) return targets;
  return accept({
    pairs: fan.value?.rest.map((guest) => ({ lan: fan.value?.first ?? '', guest })),
    direction: direction.value,
    toLan: toLan.value,
    toGuests: toGuests.value,
    policy: policy.value,
    rate: rate.value,
    mark: mark.value,
    targets: targets.value,
  });
}

function checkedPolicy(raw: RawArgs): Checked<Policy> {
  const ports = checkedPorts(raw.one('ports') ?? '1024-65535');
  if (!ports.ok) return ports;
  const allow = checkedRules('allow', raw.all('allow'));
  if (!allow.ok) return allow;
  const block = checkedRules('block', raw.all('block'));
  if (!block.ok) return block;
  return accept({
    ports: ports.value,
    wakeOnLan: raw.has('wake-on-lan'),
    allow: allow.value,
    block: block.value,
  });
}
