/** `patchpanelctl vpn`: the VPN that the manager knows of, and lockdown. */
import { encode } from '@pp/proto';
import { callManager, withBus, type BusDoor } from './call-manager';
import { otherWords } from './failure';
import { isObject, jsonLine } from './json';
import { statusIn } from './status';
import type { VpnAction } from './vpn-args';

export interface VpnDoors extends BusDoor {
  /** What the manager's status socket says. */
  readonly status: () => Promise<string>;
}

/** As the manager's status tells it. */
interface Vpn {
  /** Empty: no VPN is up. */
  readonly ifname: string;
  readonly lockdown: boolean;
  /** null: it is about guests alone. */
  readonly sessionUser: number | null;
}

/** Returns what to print. */
export async function vpn(action: VpnAction, json: boolean, doors: VpnDoors): Promise<string> {
  if (action.what === 'lockdown') {
    await doors.status(); // whoever may not read it is told so before anything is done
    await setLockdown(action.on, doors);
  }
  const now = vpnIn(await doors.status());
  return json ? jsonLine(now) : text(now);
}

async function setLockdown(enableVpnLockdown: boolean, { connectBus }: VpnDoors): Promise<void> {
  const request = encode('SetVpnLockdownRequest', { enableVpnLockdown });
  await withBus(connectBus, (bus) => callManager(bus, 'SetVpnLockdown', request, 'SetVpnLockdownResponse'));
}

function text({ ifname, lockdown, sessionUser }: Vpn): string {
  const way =
    ifname !== '' ? `by ${ifname}` : lockdown ? 'nowhere: no VPN is up' : 'by the uplinks: no VPN is up';
  const whose =
    sessionUser === null ? "guests', and nobody's of this host" : `guests', and that of uid ${sessionUser}`;
  return `the user's traffic (${whose}) leaves ${way}\nlockdown ${lockdown ? 'on' : 'off'}\n`;
}

function vpnIn(status: string): Vpn {
  const { vpn: found } = statusIn(status);
  if (isObject(found)) {
    const { ifname, lockdown, sessionUser = null } = found;
    const isUser = sessionUser === null || typeof sessionUser === 'number';
    if (typeof ifname === 'string' && typeof lockdown === 'boolean' && isUser)
      return { ifname, lockdown, sessionUser };
  }
  throw otherWords("the manager's status says nothing of VPNs");
}
