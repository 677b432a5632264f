import { accept } from '@pp/base';
import { checkedFan, VERSION, type ServiceSpec } from '@pp/daemon';

export interface Config {
  /** Undefined: follow the manager. */
  readonly links: { readonly lan: string; readonly guests: readonly string[] } | undefined;
}

const EXAMPLE = 'bcast-fwd eth0 vmtap0';

export const SPEC: ServiceSpec<Config> = {
  name: 'bcast-fwd',
  version: VERSION,
  description:
    'Forwards IPv4 broadcasts between a LAN and guests. In this release only the command line is there: it is checked, and then bcast-fwd refuses to start.',
  operands: { synopsis: '[LAN GUEST...]', text: 'Without interfaces the manager says what to forward.' },
  notes: `Example:\n  ${EXAMPLE} vmtap1`,
  parse(raw) {
    const fan = checkedFan(raw.operands, EXAMPLE);
    if (!fan.ok) return fan;
    return accept({
      links: fan.value === undefined ? undefined : { lan: fan.value.first, guests: fan.value.rest },
    });
  },
};
