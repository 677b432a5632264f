import { accept, refuse, type Checked } from '@pp/base';
import type { RawArgs } from '@pp/daemon';
import type { Command } from 'commander';

/** What `vpn` asks for. */
export type VpnAction = { readonly what: 'status' } | { readonly what: 'lockdown'; readonly on: boolean };

const NOTES = `
A VPN is the uplink of kind vpn (tun, ppp, WireGuard, or --uplink IF=vpn of the manager) that holds the best default route. Under lockdown
what is the user's (VMs, namespaces connected with --route-on-vpn, and the user whom --session-user of the manager names, but no
other person on this host) leaves by a VPN or not at all. It lasts until it is switched off or this host is started anew; a restart of
the manager keeps it.

Examples:
  patchpanelctl vpn status
  patchpanelctl vpn lockdown on
  patchpanelctl vpn lockdown off`;

export const vpnOptions = (command: Command): Command =>
  command
    .description("show the VPN, or let what is the user's leave by a VPN only")
    .usage('status | lockdown on|off [options]')
    .argument('[words...]')
    .option('--json', 'print the answer as one JSON object')
    .addHelpText('after', NOTES);

/** `vpn lockdown on` */
export function vpnAction(raw: RawArgs): Checked<VpnAction> {
  const [what = '', ...more] = raw.operands;
  switch (what) {
    case 'status':
      return noMore('status', more, { what });
    case 'lockdown': {
      const [state = '', ...rest] = more;
      if (state !== 'on' && state !== 'off')
        return refuse(
          'InvalidArgument',
          `vpn lockdown ${state === '' ? 'what' : `'${state}'`}? write on or off`,
        );
      return noMore(`lockdown ${state}`, rest, { what, on: state === 'on' });
    }
    default:
      return refuse(
        'InvalidArgument',
        `vpn ${what === '' ? 'what' : `'${what}'`}? write vpn status or vpn lockdown on|off; see patchpanelctl vpn --help`,
      );
  }
}

const noMore = (command: string, [stray]: readonly string[], action: VpnAction): Checked<VpnAction> =>
  stray === undefined
    ? accept(action)
    : refuse('InvalidArgument', `vpn ${command} takes no argument '${stray}'; leave it out`);
