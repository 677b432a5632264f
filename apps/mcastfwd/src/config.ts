import { accept, refuse, type Checked } from '@pp/base';
import { checkedFan, choice, VERSION, type RawArgs, type ServiceSpec } from '@pp/daemon';

const PROTOCOLS = ['mdns', 'ssdp'] as const;
const DIRECTIONS = ['two-way', 'inbound', 'outbound'] as const;

export type Protocol = (typeof PROTOCOLS)[number];

export interface Config {
  readonly protocols: readonly Protocol[];
  /** Seen from the guests: inbound lets them be found, outbound lets them find. */
  readonly direction: (typeof DIRECTIONS)[number];
  /** Undefined: follow the manager. */
  readonly links: { readonly lan: string; readonly guests: readonly string[] } | undefined;
}

const EXAMPLE = 'mcastfwd eth0 vmtap0';

export const SPEC: ServiceSpec<Config> = {
  name: 'mcastfwd',
  version: VERSION,
  description:
    'Forwards mDNS and SSDP between a LAN and guests. In this release only the command line is there: it is checked, and then mcastfwd refuses to start.',
  options: [
    { flags: '--protocol <NAMES>', text: 'mdns, ssdp, or both with a comma (default: mdns,ssdp)' },
    {
      flags: '--direction <WAY>',
      text: 'two-way (default), inbound (guests are found) or outbound (guests find)',
    },
  ],
  operands: { synopsis: '[LAN GUEST...]', text: 'Without interfaces the manager says what to forward.' },
  notes: 'Example:\n  mcastfwd --protocol mdns eth0 vmtap0 vmtap1',
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  const protocols = checkedProtocols(raw.one('protocol') ?? PROTOCOLS.join());
  if (!protocols.ok) return protocols;
  const direction = choice(raw, 'direction', DIRECTIONS, 'two-way');
  if (!direction.ok) return direction;
  const fan = checkedFan(raw.operands, EXAMPLE);
  if (!fan.ok) return fan;
  const links = fan.value === undefined ? undefined : { lan: fan.value.first, guests: fan.value.rest };
  return accept({ protocols: protocols.value, direction: direction.value, links });
}

function checkedProtocols(text: string): Checked<readonly Protocol[]> {
  const words = text.split(',');
  const stray = words.find((word) => !PROTOCOLS.some((protocol) => protocol === word));
  if (stray !== undefined)
    return refuse('InvalidArgument', `--protocol '${stray}' is unknown; write mdns, ssdp or mdns,ssdp`);
  return accept(PROTOCOLS.filter((protocol) => words.includes(protocol)));
}
