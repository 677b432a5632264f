import { accept, checkedAll, type Checked } from '@pp/base';
import { checkedFan, choice, VERSION, wholeNumber, type RawArgs, type ServiceSpec } from '@pp/daemon';
import { checkedMark } from './args/mark';
import { checkedPorts } from './args/ports';
import { checkedRules } from './args/rules';
import { checkedTargets } from './args/targets';
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
const DEFAULT_RATE = 500;
const MAX_RATE = 1_000_000;

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
    { flags: '--rate <N>', text: `frames a second of one source, default ${DEFAULT_RATE}; 0: no limit` },
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
  const checked = checkedAll({
    fan: checkedFan(raw.operands, EXAMPLE),
    direction: choice(raw, 'direction', DIRECTIONS, 'two-way'),
    toLan: choice(raw, 'to-lan', SOURCES, 'auto'),
    toGuests: choice(raw, 'to-guests', SOURCES, 'preserve'),
    policy: checkedPolicy(raw),
    rate: wholeNumber(raw, 'rate', [0, MAX_RATE], DEFAULT_RATE),
    mark: checkedMark(raw.one('mark')),
    targets: checkedTargets(raw.all('target')),
  });
  if (!checked.ok) return checked;
  const { fan, ...config } = checked.value;
  return accept({ ...config, pairs: fan?.rest.map((guest) => ({ lan: fan.first, guest })) });
}

const checkedPolicy = (raw: RawArgs): Checked<Policy> =>
  checkedAll({
    ports: checkedPorts(raw.one('ports') ?? '1024-65535'),
    wakeOnLan: accept(raw.has('wake-on-lan')),
    allow: checkedRules('allow', raw.all('allow')),
    block: checkedRules('block', raw.all('block')),
  });
