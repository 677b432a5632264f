import { existsSync, readFileSync } from 'node:fs';
import {
  ApiClient,
  labMissing,
  labTest,
  reaches,
  repository,
  STANDARD,
  standardLab,
  startManager,
  until,
} from '@pp/lab';
import type { Host } from '@pp/lab';

/** A systemd-networkd that takes every interface leaves guests' links alone, because of the file in the manager's package. */

const NETWORKD = '/lib/systemd/systemd-networkd';
const missing =
  labMissing() ??
  (existsSync(NETWORKD) && /^systemd-network:/m.test(readFileSync('/etc/passwd', 'utf8'))
    ? undefined
    : 'systemd-networkd');

const OURS = readFileSync(repository('apps/patchpanel-manager/networkd/05-patchpanel.network'), 'utf8');

/** Without udev it asks for no leave of it where /sys is read-only; its lowest rank of files takes all. */
const start = (host: Host): unknown =>
  host.spawn('unshare', [
    '--mount',
    'sh',
    '-euc',
    `mkdir -p /run/systemd/network
    printf '[Match]\\nName=*\\n[Network]\\nDHCP=yes\\n' > /run/systemd/network/99-all.network
    printf '%s' "$1" > /run/systemd/network/05-patchpanel.network
    mount -o remount,ro /sys
    exec ${NETWORKD}`,
    'sh',
    OURS,
  ]);

/** What it says of a link; empty: nothing yet. */
async function stateOf(host: Host, ifname: string): Promise<string> {
  const { stdout } = await host.run('sh', [
    '-c',
    `sed -n 's/^ADMIN_STATE=//p' /run/systemd/netif/links/$(cat /sys/class/net/${ifname}/ifindex)`,
  ]);
  return stdout.trim();
}

labTest(
  'links of guests stay ours, whether they come before it or after',
  async () => {
    const lab = await standardLab();
    try {
      const { host } = lab;
      const manager = await startManager(host);
      const client = await ApiClient.open(lab.bus.outside);
      const connect = async (name: string) => {
        const guest = await lab.guest(name);
        return { guest, link: (await client.connect({ pid: guest.pid })).reply.hostIfname };
      };
      const early = await connect('early');
      start(host);
      await until('it has the uplink', async () => /^configur/.test(await stateOf(host, 'eth0')));
      for (const { guest, link } of [early, await connect('late')]) {
        expect(
          await until(`it knows ${link}`, () => stateOf(host, link).then((state) => state || undefined)),
        ).toBe('unmanaged');
        expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);
      }
      client.close();
      await manager.stop();
    } finally {
      await lab.close();
    }
  },
  missing,
);
